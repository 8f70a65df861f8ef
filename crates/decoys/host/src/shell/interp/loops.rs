//! Loops: `for`, `for ((…))`, `while`, `until`, and how `break` and `continue` leave them.

use base_shell::ast::{ArithmeticForClauseCommand, CompoundList, ForClauseCommand};

use super::{Flow, Interp};

impl Interp {
    /// `for name in words`.
    pub(super) async fn run_for(&mut self, clause: &ForClauseCommand) -> Flow {
        let values = match &clause.values {
            Some(words) => match self.expand_words(words).await {
                Ok(values) => values,
                Err(abort) => return self.aborted(abort),
            },
            None => self.params.clone(),
        };
        self.status = 0;
        self.loops += 1;
        let mut flow = Flow::Next;
        for value in values {
            self.proc.io.tick().await;
            self.assign(&clause.variable_name, value);
            flow = self.run_list(&clause.body.list).await;
            if !self.goes_on(&mut flow) {
                break;
            }
        }
        self.loops -= 1;
        flow
    }

    /// `for ((start; condition; update))`.
    pub(super) async fn run_counting(&mut self, clause: &ArithmeticForClauseCommand) -> Flow {
        if let Some(start) = &clause.initializer
            && let Err(abort) = self.arithmetic(&start.value).await
        {
            return self.aborted(abort);
        }
        self.status = 0;
        self.loops += 1;
        let mut flow = Flow::Next;
        loop {
            self.proc.io.tick().await;
            match &clause.condition {
                Some(condition) if !condition.value.trim().is_empty() => {
                    match self.arithmetic(&condition.value).await {
                        Ok(0) | Err(_) => break,
                        Ok(_) => {}
                    }
                }
                _ => {}
            }
            flow = self.run_list(&clause.body.list).await;
            if !self.goes_on(&mut flow) {
                break;
            }
            if let Some(update) = &clause.updater
                && self.arithmetic(&update.value).await.is_err()
            {
                break;
            }
        }
        self.loops -= 1;
        flow
    }

    /// `while` (`wanted`) and `until`.
    pub(super) async fn run_while(
        &mut self,
        condition: &CompoundList,
        body: &CompoundList,
        wanted: bool,
    ) -> Flow {
        let mut status = 0;
        let mut flow = Flow::Next;
        self.loops += 1;
        loop {
            self.proc.io.tick().await;
            if let Some(left) = self.condition(condition).await {
                flow = left;
                if !self.goes_on(&mut flow) {
                    break;
                }
                continue;
            }
            if (self.status == 0) != wanted {
                break;
            }
            flow = self.run_list(body).await;
            status = self.status;
            if !self.goes_on(&mut flow) {
                break;
            }
        }
        self.loops -= 1;
        if flow == Flow::Next {
            self.status = status;
        }
        flow
    }

    /// Whether the loop goes on after `flow`, which is turned into what the loop itself does.
    fn goes_on(&self, flow: &mut Flow) -> bool {
        match *flow {
            Flow::Next => true,
            Flow::Continue(1) => {
                *flow = Flow::Next;
                true
            }
            Flow::Break(1) => {
                *flow = Flow::Next;
                false
            }
            Flow::Break(n) => {
                *flow = Flow::Break(n - 1);
                false
            }
            Flow::Continue(n) => {
                *flow = Flow::Continue(n - 1);
                false
            }
            Flow::Return | Flow::Exit => false,
        }
    }
}
