//! `awk`, as mawk does it: `lexer` and `parser` make an `ast`, `machine` runs it.

mod ast;
mod builtin;
mod eval;
mod format;
mod input;
mod lexer;
mod machine;
mod main_input;
mod output;
mod parser;
mod record;
mod value;
mod variable;

use self::machine::{Halt, Machine};
use crate::shell::proc::{Outcome, Proc, Stop};

const USAGE: &str = "Usage: mawk [Options] [Program] [file ...]\n\nProgram:\n    The -f option value is the name of a file containing program text.\n    If no -f option is given, a \"--\" ends option processing; the following\n    parameters are the program text.\n\nOptions:\n    -f program-file  Program  text is read from file instead of from the\n                     command-line.  Multiple -f options are accepted.\n    -F value         sets the field separator, FS, to value.\n    -v var=value     assigns value to program variable var.\n    --               unambiguous end of options.\n\n    Implementation-specific options are prefixed with \"-W\".  They can be\n    abbreviated:\n\n    -W version       show version information and exit.\n    -W dump          show assembler-like listing of program and exit.\n    -W help          show this message and exit.\n    -W interactive   set unbuffered output, line-buffered input.\n    -W exec file     use file as program as well as last option.\n    -W random=number set initial random seed.\n    -W sprintf=number adjust size of sprintf buffer.\n    -W posix_space   do not consider \"\\n\" a space.\n    -W usage         show this message and exit.\n";

/// `number` as `%g`.
pub(super) fn general(number: f64) -> String {
    let text = format::format(b"%g", &[value::Value::Number(number)], b"%g");
    String::from_utf8_lossy(&text).into_owned()
}

/// What the command line says.
#[derive(Default)]
struct Called {
    separator: Option<Vec<u8>>,
    assignments: Vec<Vec<u8>>,
    programs: Vec<Vec<u8>>,
    rest: Vec<Vec<u8>>,
}

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let mut called = match arguments(proc).await? {
        Some(called) => called,
        None => return Ok(0),
    };
    let source = if called.programs.is_empty() {
        if called.rest.is_empty() {
            proc.err(USAGE).await;
            return Ok(0);
        }
        called.rest.remove(0)
    } else {
        let mut source = Vec::new();
        for path in &called.programs {
            match proc.slurp(path).await {
                Ok(text) => source.extend([&text[..], b"\n"].concat()),
                Err(errno) => {
                    let shown = String::from_utf8_lossy(path).into_owned();
                    proc.err(format!("awk: cannot open {shown} ({})\n", errno.text())).await;
                    return Ok(2);
                }
            }
        }
        source
    };
    let program = match parser::parse(&source) {
        Ok(program) => program,
        Err(fault) => {
            proc.err(format!("awk: {fault}\n")).await;
            return Ok(2);
        }
    };
    let mut machine = Machine::new(&program, proc);
    if let Some(separator) = &called.separator {
        let text: &[u8] = if separator == b"t" { b"\t" } else { separator };
        machine.assign_named("FS", text);
    }
    for assignment in &called.assignments {
        match machine::assignment(assignment) {
            Some((name, value)) => machine.assign_named(&name, &value),
            None => {
                let shown = String::from_utf8_lossy(assignment).into_owned();
                proc.err(format!("awk: improper assignment: -v {shown}\n")).await;
                return Ok(2);
            }
        }
    }
    machine.set_arguments(&called.rest);
    match machine.run().await {
        Ok(status) => Ok(status),
        Err(Halt::Stop(stop)) => Err(stop),
        Err(Halt::Wrong(text)) => {
            let place = machine.place();
            proc.err(format!("awk: run time error: {text}\n{place}")).await;
            Ok(2)
        }
        Err(_) => Ok(machine.status),
    }
}

async fn arguments(proc: &Proc) -> Result<Option<Called>, Stop> {
    let mut called = Called::default();
    let mut arguments = proc.arguments().into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_slice() {
            b"--" => break,
            b"--version" | b"-W" | b"--help" => {
                let text = if argument == b"--help" {
                    USAGE
                } else {
                    "mawk 1.3.4 20200120\nCopyright 2008-2019,2020, Thomas E. Dickey\nCopyright 1991-1996,2014, Michael D. Brennan\n"
                };
                proc.out(text).await?;
                return Ok(None);
            }
            [b'-', letter @ (b'F' | b'v' | b'f'), attached @ ..] => {
                let value =
                    if attached.is_empty() { arguments.next() } else { Some(attached.to_vec()) };
                let Some(value) = value else {
                    let shown = char::from(*letter);
                    proc.err(format!("awk: option requires an argument -- {shown}\n")).await;
                    return Err(Stop::Status(2));
                };
                match letter {
                    b'F' => called.separator = Some(value),
                    b'v' => called.assignments.push(value),
                    _ => called.programs.push(value),
                }
            }
            [b'-', _, ..] => {
                let shown = String::from_utf8_lossy(&argument).into_owned();
                proc.err(format!("awk: not an option: {shown}\n")).await;
                return Err(Stop::Status(2));
            }
            _ => {
                called.rest.push(argument);
                break;
            }
        }
    }
    called.rest.extend(arguments);
    Ok(Some(called))
}
