//! Matches as GNU grep finds them (recorded on Debian 12).

use super::*;

#[test]
fn expressions_match_leftmost_longest() {
    for (pattern, extended, text, expected) in [
        ("a*b", false, "xaab", Some((1, 4))),
        ("^root:", false, "root:x", Some((0, 5))),
        ("x$", false, "axx", Some((2, 3))),
        ("a\\|bc", false, "zbc", Some((1, 3))),
        ("a|bc", true, "zbc", Some((1, 3))),
        ("http|https", true, "see https:", Some((4, 9))),
        ("(a*)(ab)*", true, "aab", Some((0, 3))),
        ("(ab)+c?", true, "ababc", Some((0, 5))),
        ("[0-9]{1,3}\\.", true, "x127.", Some((1, 5))),
        ("[^a-z]", false, "abC", Some((2, 3))),
        ("[[:upper:]]", false, "abC", Some((2, 3))),
        ("", false, "abc", Some((0, 0))),
        ("q", false, "abc", None),
        ("a+", false, "a+", Some((0, 2))),
        ("*a", false, "x*a", Some((1, 3))),
        ("*a", true, "x*a", Some((2, 3))),
        ("a{1", true, "a{1", Some((0, 3))),
        ("a)", true, "a)", Some((0, 2))),
        ("\\<is\\>", false, "this is", Some((5, 7))),
        ("\\bis", false, "this is", Some((5, 7))),
        ("^*x", false, "*x", Some((0, 2))),
    ] {
        let regex = Regex::new(pattern.as_bytes(), extended, false).unwrap();
        assert_eq!(regex.find_at(text.as_bytes(), 0), expected, "{pattern}");
    }
    assert!(Regex::new(b"ROOT", false, true).unwrap().is_match(b"root"));
    assert!(Regex::new(&Regex::literal(b"a.c*"), false, false).unwrap().is_match(b"xa.c*"));
}

#[test]
fn groups_belong_to_the_longest_match() {
    let regex = Regex::new(b"(a|ab)(c|bcd)?", true, false).unwrap();
    assert_eq!(regex.groups(), 2);
    let found = regex.groups_at(b"xabcd", 0).unwrap();
    assert_eq!(found, [Some((1, 5)), Some((1, 2)), Some((2, 5))]);
    let regex = Regex::new(b"\\(x*\\)y", false, false).unwrap();
    assert_eq!(regex.groups_at(b"axxyxy", 4).unwrap(), [Some((4, 6)), Some((4, 5))]);
}

#[test]
fn faults_are_told_in_the_words_of_gnu() {
    for (pattern, extended, fault) in [
        ("a\\{1", false, "Unmatched \\{"),
        ("(a", true, "Unmatched ( or \\("),
        ("a\\)", false, "Unmatched ) or \\)"),
        ("[", false, "Invalid regular expression"),
        ("[a", false, "Unmatched [, [^, [:, [., or [="),
        ("[[:foo:]]", true, "Invalid character class name"),
        ("a\\", false, "Trailing backslash"),
        ("a{2,1}", true, "Invalid content of \\{\\}"),
        ("a\\{1a\\}", false, "Invalid content of \\{\\}"),
        ("(a)\\2", true, "Invalid back reference"),
        ("[b-a]", true, "Invalid range end"),
        ("a{99999}", true, "Regular expression too big"),
    ] {
        let found = Regex::new(pattern.as_bytes(), extended, false).err().map(Fault::text);
        assert_eq!(found, Some(fault), "{pattern}");
    }
}

#[test]
fn hostile_expressions_end() {
    assert!(Regex::new(&b"(".repeat(100_000), true, false).is_err());
    assert!(Regex::new(b"((a{255}){255}){255}", true, false).is_err());
    let regex = Regex::new(b"(a*)*(a*)*(a*)*b", true, false).unwrap();
    assert!(!regex.is_match(&vec![b'a'; 100_000]));
    let regex = Regex::new(b"(a|b)*a(a|b){200}c", true, false).unwrap();
    assert_eq!(regex.find_at(&b"ab".repeat(1 << 20), 0), None);
}
