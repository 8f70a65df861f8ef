//! Files: `INTO OUTFILE`, `LOAD DATA`, and what may be written where.

use decoys_host::fs::Errno;

use super::{Answer, Done, Run};
use crate::mysql::errors::{Refusal, refusal};
use crate::mysql::world::creds;
use crate::sql::{Query, Rows, Value};

/// `LOAD DATA`.
pub(super) fn load(run: &mut Run<'_>, text: &str, words: &[String]) -> Done {
    let local = words.iter().any(|word| word == "local");
    let file = words
        .iter()
        .position(|word| word == "infile")
        .and_then(|at| words.get(at + 1))
        .cloned()
        .unwrap_or_default();
    let _ = text;
    let maria = run.server.persona.maria;
    let answer = if local {
        if run.me.local_files {
            Answer::Fetch(file)
        } else if maria {
            Answer::Refused(refusal(
                4166,
                "The used command is not allowed because the MariaDB server or client has disabled the local infile capability",
            ))
        } else {
            Answer::Refused(refusal(
                3948,
                "Loading local data is disabled; this must be enabled on both the client and server sides",
            ))
        }
    } else {
        let creds = creds(run.machine);
        let folder = run.server.persona.file_folder();
        if folder.is_some_and(|folder| !file.starts_with(folder)) {
            Answer::Refused(secure())
        } else {
            match run.machine.fs().stat(&creds, b"/var/lib/mysql", file.as_bytes(), true) {
                Err(errno) => Answer::Refused(refusal(
                    29,
                    format!("File '{file}' not found (Errcode: {})", shown(errno)),
                )),
                // What it would read is no table of this kind.
                Ok(_) => Answer::Ok { rows: 0, id: 0, schema: None, charset: None },
            }
        }
    };
    Done { lure: Some(if local { "load_data_local" } else { "load_data" }), ..Done::of(answer) }
}

fn secure() -> Refusal {
    refusal(
        1290,
        "The MySQL server is running with the --secure-file-priv option so it cannot execute this statement",
    )
}

/// An error of the system as the product shows it.
pub(super) fn shown(errno: Errno) -> String {
    let number = match errno {
        Errno::NoEntry => 2,
        Errno::Access => 13,
        Errno::NotPermitted => 1,
        Errno::Exists => 17,
        Errno::NotDirectory => 20,
        Errno::IsDirectory => 21,
        Errno::NoSpace => 28,
        Errno::ReadOnly => 30,
        _ => 22,
    };
    format!("{number} \"{}\"", errno.text())
}

/// Writes a result into a file of the machine, as `INTO OUTFILE` or `INTO DUMPFILE`.
pub(super) fn outfile(
    run: &mut Run<'_>,
    file: &str,
    query: &Query,
    text: &str,
    found: &Rows,
) -> Result<Done, Refusal> {
    let _ = query;
    let dump = text.to_ascii_lowercase().contains("dumpfile");
    let mut content = Vec::new();
    for row in &found.rows {
        for (at, value) in row.iter().enumerate() {
            if at > 0 && !dump {
                content.push(b'\t');
            }
            match value {
                Value::Null if !dump => content.extend(b"\\N"),
                Value::Bytes(bytes) => content.extend(bytes),
                other => content.extend(other.shown().unwrap_or_default().as_bytes()),
            }
        }
        if !dump {
            content.push(b'\n');
        }
    }
    let lure = Some(if dump { "dumpfile" } else { "outfile" });
    let refused = |refused| Ok(Done { lure, ..Done::of(Answer::Refused(refused)) });
    if !run.me.admin {
        return refused(refusal(
            1045,
            format!("Access denied for user '{}'@'%' (using password: YES)", run.me.user),
        ));
    }
    if run.server.persona.file_folder().is_some_and(|folder| !file.starts_with(folder)) {
        return refused(secure());
    }
    let database = run.me.database.clone().unwrap_or_default();
    let cwd = format!("/var/lib/mysql/{database}");
    let path = decoys_host::fs::absolute(cwd.as_bytes(), file.as_bytes());
    let creds = creds(run.machine);
    let now = run.now;
    if run.machine.fs().find(&creds, b"/", &path, true).is_ok() {
        return refused(refusal(1086, format!("File '{file}' already exists")));
    }
    let made = run.machine.fs.create(&creds, b"/", &path, 0o666 & !0o022, now);
    let made = made.and_then(|ino| run.machine.fs.write(ino, 0, &content, now));
    if let Err(errno) = made {
        return refused(refusal(
            1,
            format!("Can't create/write to file '{file}' (Errcode: {})", shown(errno)),
        ));
    }
    let rows = found.rows.len() as u64;
    Ok(Done {
        lure,
        written: Some((path, content)),
        ..Done::of(Answer::Ok { rows, id: 0, schema: None, charset: None })
    })
}
