//! Values and messages, as bash gives them.

use std::collections::BTreeMap;

use super::*;

impl Variables for BTreeMap<String, Vec<u8>> {
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        BTreeMap::get(self, name).cloned()
    }
    fn set(&mut self, name: &str, value: i64) {
        self.insert(name.to_owned(), value.to_string().into_bytes());
    }
}

#[test]
fn expressions_evaluate_as_in_bash() {
    let mut variables = BTreeMap::from([("x".to_owned(), b"7".to_vec())]);
    for (text, expected) in [
        ("", 0),
        ("1+2*3", 7),
        ("(1+2)*3", 9),
        ("x++ + x", 15),
        ("x", 8),
        ("-2**2", 4),
        ("7/2", 3),
        ("-7%3", -1),
        ("1?2:3", 2),
        ("0||0", 0),
        ("1<<4|1", 17),
        ("0x1f", 31),
        ("017", 15),
        ("2#101", 5),
        ("y=3,y*2", 6),
        ("x+=2", 10),
        ("1 && 0 || 1", 1),
        ("!0", 1),
        ("0 && 1/0", 0),
        ("3>2", 1),
        ("9223372036854775807+1", i64::MIN),
    ] {
        assert_eq!(evaluate(text.as_bytes(), &mut variables), Ok(expected), "{text}");
    }
}

#[test]
fn errors_are_bashs_and_nesting_is_bounded() {
    let mut variables = BTreeMap::new();
    let message = evaluate(b"1/0", &mut variables).unwrap_err();
    assert_eq!(message, "1/0: division by 0 (error token is \"0\")");
    let message = evaluate(b"08", &mut variables).unwrap_err();
    assert_eq!(message, "08: value too great for base (error token is \"08\")");
    for hostile in ["(", "-", "!", "a=", "1?1:", "2**", "1?"] {
        assert!(evaluate(hostile.repeat(100_000).as_bytes(), &mut variables).is_err());
    }
}
