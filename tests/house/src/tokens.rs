// SPDX-License-Identifier: GPL-2.0

//! Finds paths in what a macro gets. A macro's grammar is not known, so that paths are told by their colons.

use crate::collect::{text, Use};
use proc_macro2::{Spacing, TokenStream, TokenTree};
use std::collections::BTreeSet;

/// All words.
pub fn words(tokens: TokenStream, out: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(it) => drop(out.insert(text(&it))),
            TokenTree::Group(it) => words(it.stream(), out),
            _ => {}
        }
    }
}

/// All paths, and words that may be one.
pub fn paths(tokens: TokenStream) -> Vec<Use> {
    let mut out = Vec::new();
    walk(tokens, &mut out);
    out
}

fn walk(tokens: TokenStream, out: &mut Vec<Use>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            TokenTree::Group(it) => {
                walk(it.stream(), out);
                at += 1;
            }
            TokenTree::Ident(_) => at = path(&tokens, at, out),
            _ => at += 1,
        }
    }
}

/// Reads the path that begins at `at`; where it ends.
fn path(tokens: &[TokenTree], begin: usize, out: &mut Vec<Use>) -> usize {
    let mut it = Use {
        path: Vec::new(),
        open: false,
        is_macro: false,
        line: tokens[begin].span().start().line,
    };
    let mut at = begin;
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        it.path.push(text(ident));
        at += 1;
        it.open = is_colons(tokens, at);
        if !it.open {
            break;
        }
        at += 2;
    }
    it.is_macro = !it.open
        && is_punct(tokens, at, '!')
        && matches!(tokens.get(at + 1), Some(TokenTree::Group(_)));
    // `.field`, `$variable`, `::another_crate`, `'lifetime`; but `..path` and `$crate`.
    let before = |back: usize, c| begin >= back && is_punct(tokens, begin - back, c);
    let is_other = (before(1, '.') && !before(2, '.'))
        || (before(1, '$') && it.path[0] != "crate")
        || before(1, ':') && before(2, ':')
        || before(1, '\'');
    // `field: value`, `field <- value`.
    let is_field = it.path.len() == 1
        && !it.open
        && ((is_punct(tokens, at, ':') && !is_colons(tokens, at))
            || (is_punct(tokens, at, '<') && is_punct(tokens, at + 1, '-')));
    if !is_other && !is_field {
        out.push(it);
    }
    at
}

fn is_punct(tokens: &[TokenTree], at: usize, c: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c)
}

fn is_colons(tokens: &[TokenTree], at: usize) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(p)) if p.as_char() == ':' && p.spacing() == Spacing::Joint)
        && is_punct(tokens, at + 1, ':')
}
