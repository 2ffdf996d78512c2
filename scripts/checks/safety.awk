# SPDX-License-Identifier: GPL-2.0
# What scripts/checks/safety.sh asks of each Rust file; see there. `contained` is set
# for files that may have unsafe code.

function complain(line, what) {
	printf "%s:%d: %s\n", name, line, what
	bad = 1
}

# A proof that is at its end: of what kind it is, and what it says.
function judge() {
	if (proof == "")
		return
	if (proof ~ /As (above|below)|[Bb]y the caller.s promise/)
		complain(proof_line, "it does not say what this stands on: " proof)
	else if (proof ~ /: *([Bb]y the type invariants?|See above|Trust me)?[.;]? *$/)
		complain(proof_line, "it names no invariant, and no clause of # Safety: " proof)
	proof = ""
}

FNR == 1 {
	judge()
	name = FILENAME
	fresh = safety_doc = 0
}

{
	code = $0
	comment = ""
	# Strings first: they may have slashes. (A quote as a character is not
	# the beginning of one.)
	gsub(/'"'/, "' '", code)
	gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
	if (match(code, /\/\//)) {
		comment = substr(code, RSTART)
		code = substr(code, 1, RSTART - 1)
	}
	blank = code ~ /^[ \t]*$/
}

# Comments alone on their line.
blank && comment ~ /^\/\/ (SAFETY|INVARIANT):/ {
	judge()
	proof = substr(comment, 4)
	proof_line = FNR
	if (comment ~ /SAFETY/)
		fresh = 1
	next
}
blank && comment ~ /^\/\/ / && proof != "" {
	proof = proof substr(comment, 3)
	next
}
blank && comment ~ /^\/\/\// {
	judge()
	if (comment ~ /# Safety/)
		safety_doc = 1
	next
}
blank && comment != "" {
	judge()
	next
}
blank {
	judge()
	fresh = safety_doc = 0
	next
}

# Code.
{
	judge()
	rest = code
	gsub(/unsafe_op_in_unsafe_fn|undocumented_unsafe_blocks/, "", rest)
	blocks = gsub(/unsafe( +impl|\(uninit\)| *\{)/, "&", rest)
	if (rest ~ /unsafe/ && !contained)
		complain(FNR, "unsafe code outside of src/bindings, src/dax and src/vfs")
	if (blocks > 1 || (blocks == 1 && !fresh))
		complain(FNR, "unsafe without a SAFETY comment of its own just before")
	if (rest ~ /unsafe (extern "" )?fn [a-z_$]/ && !safety_doc)
		complain(FNR, "an unsafe function without # Safety")
	# One proof is for one block, in the statement that comes after it.
	if (blocks || code ~ /[;{}] *$/)
		fresh = 0
	if (code !~ /^[ \t]*#\[/)
		safety_doc = 0
}

END {
	judge()
	exit bad
}
