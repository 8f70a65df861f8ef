//! `test`, `[` and `[[`.

use base_shell::ast::{BinaryPredicate, ExtendedTestExpr, UnaryPredicate};

use super::expand::Abort;
use super::interp::Interp;
use super::io::Boxed;
use super::pattern;
use super::proc::Proc;
use super::regex::Regex;
use crate::fs::{Access, Kind};

/// Negations and parentheses beyond this are an error.
const MAX_DEPTH: usize = 64;

/// The answer of `test arguments`.
///
/// # Errors
/// The message.
pub(crate) fn evaluate(arguments: &[Vec<u8>], proc: &Proc) -> Result<bool, Vec<u8>> {
    let mut parser = Parser { arguments, at: 0, depth: 0, proc };
    match arguments {
        [] => return Ok(false),
        [one] => return Ok(!one.is_empty()),
        [not, one] if not == b"!" => return Ok(one.is_empty()),
        [operator, operand] => return unary(operator, operand, proc),
        [left, operator, right] if is_binary(operator) => {
            return binary(left, operator, right, proc);
        }
        _ => {}
    }
    let answer = parser.or()?;
    if parser.at < arguments.len() {
        return Err(b"too many arguments".to_vec());
    }
    Ok(answer)
}

struct Parser<'a> {
    arguments: &'a [Vec<u8>],
    at: usize,
    depth: usize,
    proc: &'a Proc,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&[u8]> {
        self.arguments.get(self.at).map(Vec::as_slice)
    }

    fn or(&mut self) -> Result<bool, Vec<u8>> {
        let mut answer = self.and()?;
        while self.peek() == Some(b"-o") {
            self.at += 1;
            answer |= self.and()?;
        }
        Ok(answer)
    }

    fn and(&mut self) -> Result<bool, Vec<u8>> {
        let mut answer = self.primary()?;
        while self.peek() == Some(b"-a") {
            self.at += 1;
            answer &= self.primary()?;
        }
        Ok(answer)
    }

    fn primary(&mut self) -> Result<bool, Vec<u8>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(b"too many arguments".to_vec());
        }
        let Some(first) = self.arguments.get(self.at) else {
            return Err(b"argument expected".to_vec());
        };
        let second = self.arguments.get(self.at + 1);
        let third = self.arguments.get(self.at + 2);
        let answer = match (first.as_slice(), second, third) {
            (_, Some(operator), Some(right)) if is_binary(operator) => {
                self.at += 3;
                binary(first, operator, right, self.proc)
            }
            (b"!", Some(_), _) => {
                self.at += 1;
                self.primary().map(|answer| !answer)
            }
            (b"(", Some(_), _) => {
                self.at += 1;
                let answer = self.or()?;
                if self.peek() != Some(b")") {
                    return Err(b"`)' expected".to_vec());
                }
                self.at += 1;
                Ok(answer)
            }
            (operator, Some(operand), _) if operator.len() == 2 && operator.starts_with(b"-") => {
                self.at += 2;
                unary(operator, operand, self.proc)
            }
            _ => {
                self.at += 1;
                Ok(!first.is_empty())
            }
        };
        self.depth -= 1;
        answer
    }
}

fn is_binary(operator: &[u8]) -> bool {
    matches!(
        operator,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
    )
}

fn unary(operator: &[u8], operand: &[u8], proc: &Proc) -> Result<bool, Vec<u8>> {
    let letter = match operator {
        [b'-', letter] => *letter,
        _ => return Err([operator, b": unary operator expected"].concat()),
    };
    match letter {
        b'n' => Ok(!operand.is_empty()),
        b'z' => Ok(operand.is_empty()),
        b't' => {
            let number = String::from_utf8_lossy(operand).parse::<i32>().unwrap_or(-1);
            Ok(proc.fd(number).is_some_and(|fd| fd.is_tty(&proc.io)))
        }
        b'a' | b'e' | b'f' | b'd' | b'h' | b'L' | b'b' | b'c' | b'p' | b'S' | b's' | b'r'
        | b'w' | b'x' | b'u' | b'g' | b'k' | b'O' | b'G' | b'N' => Ok(file(letter, operand, proc)),
        b'o' | b'v' | b'R' => Ok(false),
        _ => Err([operator, b": unary operator expected"].concat()),
    }
}

fn file(letter: u8, path: &[u8], proc: &Proc) -> bool {
    let follow = !matches!(letter, b'h' | b'L');
    let creds = &proc.user.creds;
    proc.host.with(|machine| {
        let Ok(stat) = machine.fs.stat(creds, &proc.cwd, path, follow) else { return false };
        let node = &stat.node;
        match letter {
            b'f' => matches!(node.kind, Kind::File(_)),
            b'd' => node.is_dir(),
            b'h' | b'L' => matches!(node.kind, Kind::Symlink(_)),
            b'c' => matches!(node.kind, Kind::Device(_)),
            b'b' | b'p' | b'S' => false,
            b's' => node.size() > 0,
            b'r' => creds.may(node, Access::Read),
            b'w' => creds.may(node, Access::Write),
            b'x' => creds.may(node, Access::Execute),
            b'u' => node.mode & 0o4000 != 0,
            b'g' => node.mode & 0o2000 != 0,
            b'k' => node.mode & 0o1000 != 0,
            b'O' => node.uid == creds.uid,
            b'G' => node.gid == creds.gid,
            b'N' => node.mtime > node.atime,
            _ => true,
        }
    })
}

fn binary(left: &[u8], operator: &[u8], right: &[u8], proc: &Proc) -> Result<bool, Vec<u8>> {
    let number = |text: &[u8]| {
        let parsed =
            std::str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok());
        parsed.ok_or_else(|| [text, b": integer expression expected"].concat())
    };
    Ok(match operator {
        b"=" | b"==" => left == right,
        b"!=" => left != right,
        b"<" => left < right,
        b">" => left > right,
        b"-eq" => number(left)? == number(right)?,
        b"-ne" => number(left)? != number(right)?,
        b"-lt" => number(left)? < number(right)?,
        b"-le" => number(left)? <= number(right)?,
        b"-gt" => number(left)? > number(right)?,
        b"-ge" => number(left)? >= number(right)?,
        _ => {
            let creds = &proc.user.creds;
            proc.host.with(|machine| {
                let left = machine.fs.stat(creds, &proc.cwd, left, true).ok();
                let right = machine.fs.stat(creds, &proc.cwd, right, true).ok();
                match (operator, left, right) {
                    (b"-ef", Some(left), Some(right)) => left.ino == right.ino,
                    (b"-nt", Some(left), Some(right)) => left.node.mtime > right.node.mtime,
                    (b"-ot", Some(left), Some(right)) => left.node.mtime < right.node.mtime,
                    (b"-nt", Some(_), None) | (b"-ot", None, Some(_)) => true,
                    _ => false,
                }
            })
        }
    })
}

impl Interp {
    /// The answer of `[[ … ]]`.
    pub(crate) fn extended_test<'a>(
        &'a mut self,
        expression: &'a ExtendedTestExpr,
    ) -> Boxed<'a, Result<bool, Abort>> {
        Box::pin(async move {
            match expression {
                ExtendedTestExpr::And(left, right) => {
                    Ok(self.extended_test(left).await? && self.extended_test(right).await?)
                }
                ExtendedTestExpr::Or(left, right) => {
                    Ok(self.extended_test(left).await? || self.extended_test(right).await?)
                }
                ExtendedTestExpr::Not(inner) => Ok(!self.extended_test(inner).await?),
                ExtendedTestExpr::Parenthesized(inner) => self.extended_test(inner).await,
                ExtendedTestExpr::UnaryTest(predicate, word) => {
                    let operand = self.expand_string(&word.value).await?;
                    let letter = predicate_letter(predicate);
                    Ok(unary(&[b'-', letter], &operand, &self.proc).unwrap_or(false))
                }
                ExtendedTestExpr::BinaryTest(predicate, left, right) => {
                    let left = self.expand_string(&left.value).await?;
                    let pattern = self.expand_pattern(&right.value).await?;
                    let right = pattern::unescape(&pattern);
                    match self.compare(predicate, &left, &pattern, &right).await {
                        Ok(answer) => Ok(answer),
                        Err(message) => {
                            self.complain([&b"[[: "[..], &message].concat()).await;
                            Err(Abort::Command)
                        }
                    }
                }
            }
        })
    }

    async fn compare(
        &mut self,
        predicate: &BinaryPredicate,
        left: &[u8],
        pattern: &[u8],
        right: &[u8],
    ) -> Result<bool, Vec<u8>> {
        use BinaryPredicate as P;
        let operator: &[u8] = match predicate {
            P::StringExactlyMatchesPattern => return Ok(pattern::matches(pattern, left)),
            P::StringDoesNotExactlyMatchPattern => return Ok(!pattern::matches(pattern, left)),
            P::StringMatchesRegex => {
                let regex = Regex::new(right, true, false);
                return Ok(regex.is_ok_and(|regex| regex.is_match(left)));
            }
            P::StringContainsSubstring => {
                let found = right.is_empty() || left.windows(right.len()).any(|w| w == right);
                return Ok(found);
            }
            P::StringExactlyMatchesString => b"=",
            P::StringDoesNotExactlyMatchString => b"!=",
            P::LeftSortsBeforeRight => b"<",
            P::LeftSortsAfterRight => b">",
            P::FilesReferToSameDeviceAndInodeNumbers => b"-ef",
            P::LeftFileIsNewerOrExistsWhenRightDoesNot => b"-nt",
            P::LeftFileIsOlderOrDoesNotExistWhenRightDoes => b"-ot",
            P::ArithmeticEqualTo => b"-eq",
            P::ArithmeticNotEqualTo => b"-ne",
            P::ArithmeticLessThan => b"-lt",
            P::ArithmeticLessThanOrEqualTo => b"-le",
            P::ArithmeticGreaterThan => b"-gt",
            P::ArithmeticGreaterThanOrEqualTo => b"-ge",
        };
        if matches!(operator, b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge") {
            // `[[` evaluates both sides as arithmetic.
            let left =
                self.arithmetic(&base_shell::text::encode(left)).await.map_err(|_| Vec::new())?;
            let right =
                self.arithmetic(&base_shell::text::encode(right)).await.map_err(|_| Vec::new())?;
            let (left, right) = (left.to_string().into_bytes(), right.to_string().into_bytes());
            return binary(&left, operator, &right, &self.proc);
        }
        binary(left, operator, right, &self.proc)
    }
}

const fn predicate_letter(predicate: &UnaryPredicate) -> u8 {
    use UnaryPredicate as P;
    match predicate {
        P::FileExists => b'e',
        P::FileExistsAndIsBlockSpecialFile => b'b',
        P::FileExistsAndIsCharSpecialFile => b'c',
        P::FileExistsAndIsDir => b'd',
        P::FileExistsAndIsRegularFile => b'f',
        P::FileExistsAndIsSetgid => b'g',
        P::FileExistsAndIsSymlink => b'h',
        P::FileExistsAndHasStickyBit => b'k',
        P::FileExistsAndIsFifo => b'p',
        P::FileExistsAndIsReadable => b'r',
        P::FileExistsAndIsNotZeroLength => b's',
        P::FdIsOpenTerminal => b't',
        P::FileExistsAndIsSetuid => b'u',
        P::FileExistsAndIsWritable => b'w',
        P::FileExistsAndIsExecutable => b'x',
        P::FileExistsAndOwnedByEffectiveGroupId => b'G',
        P::FileExistsAndModifiedSinceLastRead => b'N',
        P::FileExistsAndOwnedByEffectiveUserId => b'O',
        P::FileExistsAndIsSocket => b'S',
        P::ShellOptionEnabled => b'o',
        P::ShellVariableIsSetAndAssigned => b'v',
        P::ShellVariableIsSetAndNameRef => b'R',
        P::StringHasZeroLength => b'z',
        P::StringHasNonZeroLength => b'n',
    }
}
