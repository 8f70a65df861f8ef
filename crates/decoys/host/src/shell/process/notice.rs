//! What the shell says before a prompt about commands in the background.

use crate::shell::interp::Interp;

impl Interp {
    /// `[1]+  Done …` of background commands that ended.
    pub(super) async fn tell_finished_jobs(&mut self) {
        let text: String = {
            let mut io = self.proc.io.lock();
            let text = io.job_lines(|job| {
                let state = match job.done? {
                    0 => "Done".to_owned(),
                    137 => "Killed".to_owned(),
                    143 => "Terminated".to_owned(),
                    status => format!("Exit {status}"),
                };
                Some((state, job.text.clone()))
            });
            io.jobs.retain(|job| job.done.is_none());
            text
        };
        if !text.is_empty() {
            self.proc.err(text).await;
        }
    }
}
