//! Simple commands: assignments, redirections, then a function, a builtin or a program.

use base_shell::ast::{
    Assignment, AssignmentName, AssignmentValue, CommandPrefixOrSuffixItem, IoRedirect,
    SimpleCommand,
};
use base_shell::text::encode;

use super::{Flow, Interp};
use crate::shell::builtins;
use crate::shell::expand::Abort;
use crate::shell::io::Boxed;
use crate::shell::limits;

/// Commands whose arguments that look like assignments are not split.
const DECLARATIONS: &[&str] = &["export", "readonly", "local", "declare", "typeset", "alias"];

impl Interp {
    pub(crate) async fn run_simple(&mut self, command: &SimpleCommand) -> Flow {
        let mut assignments: Vec<&Assignment> = Vec::new();
        let mut redirects: Vec<IoRedirect> = Vec::new();
        let mut words: Vec<(String, bool)> = Vec::new();
        for item in command.prefix.iter().flat_map(|prefix| &prefix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::AssignmentWord(assignment, _) => {
                    assignments.push(assignment)
                }
                CommandPrefixOrSuffixItem::Word(word) => words.push((word.value.clone(), false)),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {}
            }
        }
        if let Some(word) = &command.word_or_name {
            if let Some(location) = &word.loc {
                self.line = location.start.line;
            }
            words.extend(self.unalias(&word.value).into_iter().map(|word| (word, false)));
        }
        for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
            match item {
                CommandPrefixOrSuffixItem::IoRedirect(redirect) => redirects.push(redirect.clone()),
                CommandPrefixOrSuffixItem::AssignmentWord(_, word) => {
                    words.push((word.value.clone(), true))
                }
                CommandPrefixOrSuffixItem::Word(word) => words.push((word.value.clone(), false)),
                CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                    words.push(("/dev/fd/63".into(), false))
                }
            }
        }
        let arguments = match self.expand_arguments(&words).await {
            Ok(arguments) => arguments,
            Err(abort) => return self.aborted(abort),
        };
        if arguments.iter().map(|a| a.len() + 8).sum::<usize>() > limits::ARGUMENTS {
            let name = arguments.first().cloned().unwrap_or_default();
            self.complain([&name[..], b": Argument list too long"].concat()).await;
            self.status = 126;
            return Flow::Next;
        }
        if self.options.xtrace && !arguments.is_empty() {
            let mut line = b"+ ".to_vec();
            line.extend(arguments.join(&b' '));
            line.push(b'\n');
            self.proc.err(line).await;
        }
        let saved = self.proc.fds.clone();
        let flow = if self.redirect(&redirects).await.is_err() {
            self.status = 1;
            Flow::Next
        } else if arguments.is_empty() {
            self.assign_all(&assignments, !command_substitution(&assignments)).await
        } else {
            let flow = self.run_with(&assignments, arguments).await;
            // `exec` without a command makes its redirections last.
            if self.keep_fds {
                self.keep_fds = false;
                return flow;
            }
            flow
        };
        self.proc.fds = saved;
        flow
    }

    /// The words that an alias stands for.
    fn unalias(&self, word: &str) -> Vec<String> {
        match self.aliases.get(word) {
            Some(value) if self.interactive => {
                let text = encode(value);
                text.split_whitespace().map(str::to_owned).collect()
            }
            _ => vec![word.to_owned()],
        }
    }

    async fn expand_arguments(&mut self, words: &[(String, bool)]) -> Result<Vec<Vec<u8>>, Abort> {
        let mut out: Vec<Vec<u8>> = Vec::new();
        for (word, assignment) in words {
            let name = out.first().map(|name| String::from_utf8_lossy(name).into_owned());
            let whole =
                *assignment && name.is_some_and(|name| DECLARATIONS.contains(&name.as_str()));
            if whole {
                out.push(self.expand_string(word).await?);
            } else {
                out.extend(self.expand_word(word).await?);
            }
        }
        Ok(out)
    }

    async fn assign_all(&mut self, assignments: &[&Assignment], reset: bool) -> Flow {
        if reset {
            self.status = 0;
        }
        for assignment in assignments {
            match self.assignment(assignment).await {
                Ok((name, value)) => self.assign(&name, value),
                Err(abort) => return self.aborted(abort),
            }
        }
        Flow::Next
    }

    async fn assignment(&mut self, assignment: &Assignment) -> Result<(String, Vec<u8>), Abort> {
        let name = match &assignment.name {
            AssignmentName::VariableName(name) | AssignmentName::ArrayElementName(name, _) => {
                name.clone()
            }
        };
        let mut value = match &assignment.value {
            AssignmentValue::Scalar(word) => self.expand_string(&word.value).await?,
            AssignmentValue::Array(elements) => match elements.first() {
                Some((_, word)) => self.expand_string(&word.value).await?,
                None => Vec::new(),
            },
        };
        if assignment.append {
            value = [self.variable(&name).unwrap_or_default(), value].concat();
        }
        Ok((name, value))
    }

    async fn run_with(&mut self, assignments: &[&Assignment], arguments: Vec<Vec<u8>>) -> Flow {
        if !self.proc.io.may_start() {
            self.status = 137;
            return Flow::Exit;
        }
        let mut before = Vec::new();
        for assignment in assignments {
            match self.assignment(assignment).await {
                Ok((name, value)) => {
                    before.push((name.clone(), self.variables.get(&name).cloned()));
                    self.assign(&name, value);
                    self.export(&name);
                }
                Err(abort) => return self.aborted(abort),
            }
        }
        let flow = self.run_named(arguments).await;
        for (name, value) in before.into_iter().rev() {
            self.restore_variable(name, value);
        }
        flow
    }

    /// Runs `arguments`: a function, a builtin or a program.
    pub(crate) fn run_named(&mut self, arguments: Vec<Vec<u8>>) -> Boxed<'_, Flow> {
        Box::pin(async move {
            let name = arguments.first().cloned().unwrap_or_default();
            let text = encode(&name);
            if let Some(body) = self.functions.get(&text).cloned() {
                let arguments = arguments.into_iter().skip(1).collect();
                return self.call(body, arguments).await;
            }
            if let Some(builtin) = builtins::find(&text, self.dialect) {
                return builtin(self, arguments).await;
            }
            self.run_program_named(arguments).await;
            Flow::Next
        })
    }
}

/// Whether one of the values is the output of a command, whose status then counts.
fn command_substitution(assignments: &[&Assignment]) -> bool {
    assignments.iter().any(|assignment| match &assignment.value {
        AssignmentValue::Scalar(word) => word.value.contains("$(") || word.value.contains('`'),
        AssignmentValue::Array(_) => false,
    })
}
