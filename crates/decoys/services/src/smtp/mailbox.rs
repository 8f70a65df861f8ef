//! Mail delivered on the machine: `/var/mail/<user>` in mbox format, as `local(8)` writes it.

use base_model::Timestamp;
use decoys_host::HostHandle;
use decoys_host::fs::{Creds, Errno, Node};

/// Larger mail stays in the queue, so that a few do not fill the machine.
const MAX_DELIVERED: usize = 1024 * 1024;

/// A message on its way into a mailbox.
pub(super) struct Letter<'a> {
    pub(super) sender: &'a [u8],
    pub(super) recipient: &'a [u8],
    /// How it came in, without `Received: `.
    pub(super) trace: String,
    pub(super) bytes: &'a [u8],
}

/// Appends `letter` to the mailbox of `account`.
pub(super) fn deliver(
    host: &HostHandle,
    account: &decoys_host::Account,
    letter: &Letter<'_>,
    now: Timestamp,
) {
    if letter.bytes.len() > MAX_DELIVERED {
        return;
    }
    let entry = render(letter, now);
    let path = format!("/var/mail/{}", account.name);
    // A full disk keeps the mail in the queue, where nobody looks.
    let _undelivered: Result<(), Errno> = host.with(|machine| {
        let root = Creds::root();
        let mail = machine.accounts().group_id("mail").unwrap_or(8);
        let fresh = machine.fs.find(&root, b"/", path.as_bytes(), true).is_err();
        let ino = machine.fs.create(&root, b"/", path.as_bytes(), 0o600, now)?;
        if fresh {
            machine.fs.chown(&root, ino, Some(account.uid), Some(mail), now)?;
        }
        let end = machine.fs.node(ino).map_or(0, Node::size);
        machine.fs.write(ino, end, &entry, now)
    });
}

fn render(letter: &Letter<'_>, now: Timestamp) -> Vec<u8> {
    let sender = if letter.sender.is_empty() { b"MAILER-DAEMON" } else { letter.sender };
    let mut out = b"From ".to_vec();
    out.extend(sender.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'?' }));
    out.extend(format!("  {}\n", ctime(now)).bytes());
    out.extend([b"Return-Path: <", letter.sender, b">\n"].concat());
    out.extend([b"X-Original-To: ", letter.recipient, b"\n"].concat());
    out.extend([b"Delivered-To: ", letter.recipient, b"\n"].concat());
    out.extend(format!("Received: {}\n", letter.trace).bytes());
    for line in letter.bytes.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.starts_with(b"From ") {
            out.push(b'>');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
    out
}

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn names(at: Timestamp) -> (&'static str, &'static str) {
    let utc = at.to_utc();
    let day = DAYS.get(usize::from(utc.weekday().number_days_from_monday())).unwrap_or(&"Mon");
    let month = MONTHS.get(usize::from(u8::from(utc.month())) - 1).unwrap_or(&"Jan");
    (day, month)
}

/// As `ctime(3)`, without the line end.
fn ctime(at: Timestamp) -> String {
    let utc = at.to_utc();
    let (day, month) = names(at);
    let time = format!("{:02}:{:02}:{:02}", utc.hour(), utc.minute(), utc.second());
    format!("{day} {month} {:>2} {time} {}", utc.day(), utc.year())
}

/// As in a header (RFC 5322 §3.3).
pub(super) fn date(at: Timestamp) -> String {
    let utc = at.to_utc();
    let (day, month) = names(at);
    let time = format!("{:02}:{:02}:{:02}", utc.hour(), utc.minute(), utc.second());
    format!("{day}, {:>2} {month} {} {time} +0000 (UTC)", utc.day(), utc.year())
}
