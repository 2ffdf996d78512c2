// SPDX-License-Identifier: GPL-2.0

//! Sets of bytes: ranges in order, none of which touches the next.

/// From one byte to another, which is not of it.
pub type Range = std::ops::Range<u64>;

/// A set of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

impl From<Vec<Range>> for Ranges {
    fn from(mut all: Vec<Range>) -> Self {
        all.retain(|range| range.start < range.end);
        all.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range> = Vec::with_capacity(all.len());
        for range in all {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Self(joined)
    }
}

impl Ranges {
    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Range> {
        self.0.iter()
    }

    /// What it has of these bytes, in order.
    pub fn within(&self, range: Range) -> impl Iterator<Item = Range> + '_ {
        let first = self.0.partition_point(|this| this.end <= range.start);
        self.0[first..]
            .iter()
            .map(move |this| this.start.max(range.start)..this.end.min(range.end))
            .take_while(|part| part.start < part.end)
    }

    /// What it has beside these.
    pub fn without(&self, others: &Ranges) -> Ranges {
        let mut left = Vec::new();
        for range in &self.0 {
            let mut at = range.start;
            for other in others.within(range.clone()) {
                left.push(at..other.start);
                at = other.end;
            }
            left.push(at..range.end);
        }
        left.into()
    }
}

#[cfg(test)]
#[allow(
    clippy::single_range_in_vec_init,
    reason = "sets of one range are meant"
)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    fn in_order_and_joined() {
        let ranges = Ranges::from(vec![8..9, 0..2, 1..4, 4..5, 7..7, 9..3]);
        assert_eq!(ranges.0, [0..5, 8..9]);
        assert!(Ranges::from(vec![3..3]).is_empty());
        let inside = Ranges::from(vec![0..10, 2..4]);
        assert_eq!(inside.0, [0..10]);
    }

    #[test]
    fn what_is_within() {
        let ranges = Ranges::from(vec![2..4, 6..8, 10..12]);
        let within = |range| ranges.within(range).collect::<Vec<_>>();
        assert_eq!(within(0..20), [2..4, 6..8, 10..12]);
        assert_eq!(within(3..7), [3..4, 6..7]);
        assert!(within(4..6).is_empty());
        assert!(within(12..13).is_empty());
        assert_eq!(within(11..12), [11..12]);
    }

    #[test]
    fn what_is_left() {
        let ranges = Ranges::from(vec![2..8, 10..12]);
        let without = |others: Vec<Range>| ranges.without(&others.into()).0;
        assert_eq!(without(vec![]), [2..8, 10..12]);
        assert_eq!(without(vec![3..4, 7..11]), [2..3, 4..7, 11..12]);
        assert!(without(vec![0..20]).is_empty());
    }
}
