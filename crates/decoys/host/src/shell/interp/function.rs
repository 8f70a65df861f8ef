//! Calling functions.

use std::sync::Arc;

use base_shell::ast::{Command, FunctionBody};

use super::{Flow, Interp};

impl Interp {
    /// Calls the function `body` with `arguments`.
    pub(crate) async fn call(&mut self, body: Arc<FunctionBody>, arguments: Vec<Vec<u8>>) -> Flow {
        let params = std::mem::replace(&mut self.params, arguments);
        let loops = std::mem::take(&mut self.loops);
        self.locals.push(Vec::new());
        let saved = self.proc.fds.clone();
        let redirects = body.1.as_ref().map_or(&[][..], |list| &list.0);
        let flow = if self.redirect(redirects).await.is_ok() {
            let command = Command::Compound(body.0.clone(), None);
            self.run_command(&command).await
        } else {
            self.status = 1;
            Flow::Next
        };
        self.proc.fds = saved;
        self.params = params;
        self.loops = loops;
        for (name, value) in self.locals.pop().unwrap_or_default().into_iter().rev() {
            self.restore_variable(name, value);
        }
        match flow {
            Flow::Exit => Flow::Exit,
            _ => Flow::Next,
        }
    }
}
