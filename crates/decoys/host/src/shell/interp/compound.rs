//! Compound commands: groups, subshells, `if`, `case`, `((…))`.

use std::sync::Arc;

use base_shell::ast::{
    CaseClauseCommand, CaseItemPostAction, Command, CompoundCommand, CompoundList, IfClauseCommand,
};

use super::{Flow, Interp};
use crate::shell::io::Boxed;
use crate::shell::{limits, pattern};

impl Interp {
    /// Runs one command.
    pub(crate) fn run_command<'a>(&'a mut self, command: &'a Command) -> Boxed<'a, Flow> {
        Box::pin(async move {
            self.proc.io.tick().await;
            if self.proc.depth >= limits::DEPTH {
                // Endless recursion of a real shell runs into its stack's end.
                self.proc.err("Segmentation fault\n").await;
                self.status = 139;
                return Flow::Exit;
            }
            self.proc.depth += 1;
            let flow = match command {
                Command::Simple(simple) => self.run_simple(simple).await,
                Command::Compound(compound, redirects) => {
                    let saved = self.proc.fds.clone();
                    let redirects = redirects.as_ref().map_or(&[][..], |list| &list.0);
                    let flow = if self.redirect(redirects).await.is_ok() {
                        self.run_compound(compound).await
                    } else {
                        self.status = 1;
                        Flow::Next
                    };
                    self.proc.fds = saved;
                    flow
                }
                Command::Function(function) => {
                    if self.functions.len() < 1024 {
                        let name = function.fname.value.clone();
                        self.functions.insert(name, Arc::new(function.body.clone()));
                    }
                    self.status = 0;
                    Flow::Next
                }
                Command::ExtendedTest(test, _) => {
                    self.status = match self.extended_test(&test.expr).await {
                        Ok(true) => 0,
                        Ok(false) => 1,
                        Err(_) => 2,
                    };
                    Flow::Next
                }
            };
            self.proc.depth = self.proc.depth.saturating_sub(1);
            flow
        })
    }

    async fn run_compound(&mut self, compound: &CompoundCommand) -> Flow {
        match compound {
            CompoundCommand::BraceGroup(group) => self.run_list(&group.list).await,
            CompoundCommand::Subshell(subshell) => {
                let mut sub = self.subshell();
                let _ = sub.run_list(&subshell.list).await;
                self.status = sub.status;
                Flow::Next
            }
            CompoundCommand::IfClause(clause) => self.run_if(clause).await,
            CompoundCommand::WhileClause(clause) => {
                self.run_while(&clause.0, &clause.1.list, true).await
            }
            CompoundCommand::UntilClause(clause) => {
                self.run_while(&clause.0, &clause.1.list, false).await
            }
            CompoundCommand::ForClause(clause) => self.run_for(clause).await,
            CompoundCommand::CaseClause(clause) => self.run_case(clause).await,
            CompoundCommand::Arithmetic(arithmetic) => {
                self.status = match self.arithmetic(&arithmetic.expr.value).await {
                    Ok(value) => u8::from(value == 0),
                    Err(_) => 1,
                };
                Flow::Next
            }
            CompoundCommand::ArithmeticForClause(clause) => self.run_counting(clause).await,
            CompoundCommand::Coprocess(_) => {
                self.complain("coproc: Resource temporarily unavailable").await;
                self.status = 1;
                Flow::Next
            }
        }
    }

    /// `if … then … elif … else … fi`.
    async fn run_if(&mut self, clause: &IfClauseCommand) -> Flow {
        if let Some(flow) = self.condition(&clause.condition).await {
            return flow;
        }
        if self.status == 0 {
            return self.run_list(&clause.then).await;
        }
        for other in clause.elses.iter().flatten() {
            if let Some(condition) = &other.condition {
                if let Some(flow) = self.condition(condition).await {
                    return flow;
                }
                if self.status != 0 {
                    continue;
                }
            }
            return self.run_list(&other.body).await;
        }
        self.status = 0;
        Flow::Next
    }

    /// `case … in … esac`.
    async fn run_case(&mut self, clause: &CaseClauseCommand) -> Flow {
        let value = match self.expand_string(&clause.value.value).await {
            Ok(value) => value,
            Err(abort) => return self.aborted(abort),
        };
        self.status = 0;
        let mut fall_through = false;
        for item in &clause.cases {
            let mut hit = fall_through;
            for pattern in &item.patterns {
                if hit {
                    break;
                }
                match self.expand_pattern(&pattern.value).await {
                    Ok(pattern) => hit = pattern::matches(&pattern, &value),
                    Err(abort) => return self.aborted(abort),
                }
            }
            if !hit {
                continue;
            }
            if let Some(list) = &item.cmd {
                let flow = self.run_list(list).await;
                if flow != Flow::Next {
                    return flow;
                }
            }
            match item.post_action {
                CaseItemPostAction::ExitCase => return Flow::Next,
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => fall_through = true,
                CaseItemPostAction::ContinueEvaluatingCases => fall_through = false,
            }
        }
        Flow::Next
    }

    /// Runs a condition; something when control leaves.
    pub(super) async fn condition(&mut self, list: &CompoundList) -> Option<Flow> {
        self.conditions += 1;
        let flow = self.run_list(list).await;
        self.conditions -= 1;
        (flow != Flow::Next).then_some(flow)
    }
}
