//! `useradd`, `usermod`, `userdel`, `groupadd`.

use super::book::Book;
use crate::fs::{Creds, Errno, Kind};
use crate::shell::commands::options::{Accepts, Options, read};
use crate::shell::proc::{Outcome, Proc, Stop};

const ACCEPTS: Accepts = Accepts::new(
    "b:c:d:De:f:g:G:k:K:lmMNop:rR:s:u:UZ:",
    &[
        ("base-dir=", b'b'),
        ("comment=", b'c'),
        ("create-home", b'm'),
        ("expiredate=", b'e'),
        ("gid=", b'g'),
        ("groups=", b'G'),
        ("home-dir=", b'd'),
        ("home=", b'd'),
        ("inactive=", b'f'),
        ("no-create-home", b'M'),
        ("no-user-group", b'N'),
        ("non-unique", b'o'),
        ("password=", b'p'),
        ("shell=", b's'),
        ("system", b'r'),
        ("uid=", b'u'),
        ("user-group", b'U'),
    ],
)
.status(2);

/// Whether the files may be changed; if not, it was told.
async fn locks(proc: &Proc, file: &str) -> Result<(), Stop> {
    if proc.user.creds.uid == 0 {
        return Ok(());
    }
    let name = proc.name();
    proc.err(format!("{name}: Permission denied.\n{name}: cannot lock {file}; try again later.\n"))
        .await;
    Err(Stop::Status(if name == "groupadd" { 10 } else { 1 }))
}

fn valid(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    first
        && name.len() <= 32
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.$".contains(&b))
}

fn text(options: &Options, letter: u8) -> Option<String> {
    options.value(letter).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// `useradd`.
pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let options = read(proc, &ACCEPTS).await?;
    let [name] = options.rest.as_slice() else {
        proc.err("Usage: useradd [options] LOGIN\n       useradd -D\n       useradd -D [options]\n\nOptions:\n      --badname                 do not check for bad names\n  -b, --base-dir BASE_DIR       base directory for the home directory of the\n                                new account\n  -c, --comment COMMENT         GECOS field of the new account\n  -d, --home-dir HOME_DIR       home directory of the new account\n  -g, --gid GROUP               name or ID of the primary group of the new\n                                account\n  -G, --groups GROUPS           list of supplementary groups of the new\n                                account\n  -m, --create-home             create the user's home directory\n  -p, --password PASSWORD       encrypted password of the new account\n  -s, --shell SHELL             login shell of the new account\n  -u, --uid UID                 user ID of the new account\n\n").await;
        return Ok(2);
    };
    let name = String::from_utf8_lossy(name).into_owned();
    if !valid(&name) {
        proc.say_err(format!("invalid user name '{name}': use --badname to ignore")).await;
        return Ok(3);
    }
    locks(proc, "/etc/passwd").await?;
    let mut book = Book::read(proc);
    if book.passwd.has(&name) {
        proc.say_err(format!("user '{name}' already exists")).await;
        return Ok(9);
    }
    let system = options.has(b'r');
    let uid = match text(&options, b'u') {
        None => Book::free_id(&book.passwd, 2, system).to_string(),
        Some(uid) if uid.parse::<u32>().is_err() => {
            proc.say_err(format!("invalid user ID '{uid}'")).await;
            return Ok(3);
        }
        Some(uid) => {
            let taken = book.passwd.lines.iter().any(|line| line.get(2) == Some(&uid));
            if taken && !options.has(b'o') {
                proc.say_err(format!("UID {uid} is not unique")).await;
                return Ok(4);
            }
            uid
        }
    };
    let gid = match text(&options, b'g') {
        Some(group) => group_id(proc, &book, &group).await?,
        None if options.has(b'N') => "100".to_owned(),
        None if book.group.has(&name) => {
            proc.err(format!("useradd: group {name} exists - if you want to add this user to that group, use -g.\n")).await;
            return Ok(9);
        }
        None => {
            let free = Book::free_id(&book.group, 2, system).to_string();
            let taken = book.group.lines.iter().any(|line| line.get(2) == Some(&uid));
            let gid = if taken { free } else { uid.clone() };
            book.group.add(&[&name, "x", &gid, ""]);
            gid
        }
    };
    join(proc, &mut book, &name, text(&options, b'G').as_deref(), true).await?;
    let base = text(&options, b'b').unwrap_or_else(|| "/home".to_owned());
    let home = text(&options, b'd').unwrap_or_else(|| format!("{base}/{name}"));
    let shell = text(&options, b's').unwrap_or_else(|| "/bin/sh".to_owned());
    let comment = text(&options, b'c').unwrap_or_default();
    book.passwd.add(&[&name, "x", &uid, &gid, &comment, &home, &shell]);
    book.set_hash(proc, &name, &text(&options, b'p').unwrap_or_else(|| "!".to_owned()));
    if book.write(proc).is_err() {
        proc.say_err("failure while writing changes to /etc/passwd").await;
        return Ok(1);
    }
    if options.has(b'm') {
        let owner = (uid.parse().unwrap_or(0), gid.parse().unwrap_or(0));
        match make_home(proc, &home, owner) {
            Ok(()) => {}
            Err(Errno::Exists) => {
                proc.say_err(format!("warning: the home directory {home} already exists.\nuseradd: Not copying any file from skel directory into it.")).await;
            }
            Err(errno) => {
                proc.say_err(format!("cannot create directory {home}: {}", errno.text())).await;
                return Ok(12);
            }
        }
    }
    Ok(0)
}

async fn group_id(proc: &Proc, book: &Book, group: &str) -> Result<String, Stop> {
    let line = book.group.lines.iter().find(|line| {
        line.first().is_some_and(|name| name == group)
            || line.get(2).is_some_and(|gid| gid == group)
    });
    match line.and_then(|line| line.get(2)) {
        Some(gid) => Ok(gid.clone()),
        None => {
            proc.say_err(format!("group '{group}' does not exist")).await;
            Err(Stop::Status(6))
        }
    }
}

/// Makes `name` a member of `groups`; of no others unless `add`.
async fn join(
    proc: &Proc,
    book: &mut Book,
    name: &str,
    groups: Option<&str>,
    add: bool,
) -> Result<(), Stop> {
    let Some(groups) = groups else { return Ok(()) };
    let mut gids = Vec::new();
    for group in groups.split(',').filter(|group| !group.is_empty()) {
        gids.push(group_id(proc, book, group).await?);
    }
    for line in &mut book.group.lines {
        let wanted = line.get(2).is_some_and(|gid| gids.contains(gid));
        let Some(members) = line.get_mut(3) else { continue };
        let mut list: Vec<&str> = members.split(',').filter(|m| !m.is_empty()).collect();
        if wanted && !list.contains(&name) {
            list.push(name);
        } else if !wanted && !add {
            list.retain(|member| *member != name);
        }
        *members = list.join(",");
    }
    Ok(())
}

/// Makes a home with what `/etc/skel` holds.
pub(super) fn make_home(proc: &Proc, home: &str, owner: (u32, u32)) -> Result<(), Errno> {
    let now = proc.io.now();
    let root = Creds::root();
    proc.host.with(|machine| {
        let fs = &mut machine.fs;
        let ino = fs.make_dir(&root, b"/", home.as_bytes(), 0o755, now)?;
        fs.chown(&root, ino, Some(owner.0), Some(owner.1), now)?;
        let skeleton = fs.find(&root, b"/", b"/etc/skel", true)?;
        for (name, child) in fs.list(&root, skeleton)? {
            if !matches!(fs.node(child).map(|node| &node.kind), Some(Kind::File(_))) {
                continue;
            }
            let bytes = fs.read(child, 0, 64 * 1024);
            let path = [home.as_bytes(), b"/", &name].concat();
            let copy = fs.create(&root, b"/", &path, 0o644, now)?;
            fs.write(copy, 0, &bytes, now)?;
            fs.chown(&root, copy, Some(owner.0), Some(owner.1), now)?;
        }
        Ok(())
    })
}

/// `usermod`.
pub(in crate::shell::commands) async fn modify(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts = Accepts::new(
        "abc:d:e:f:g:G:l:Lmop:rR:s:u:U",
        &[
            ("append", b'a'),
            ("comment=", b'c'),
            ("home=", b'd'),
            ("gid=", b'g'),
            ("groups=", b'G'),
            ("login=", b'l'),
            ("lock", b'L'),
            ("move-home", b'm'),
            ("non-unique", b'o'),
            ("password=", b'p'),
            ("shell=", b's'),
            ("uid=", b'u'),
            ("unlock", b'U'),
        ],
    )
    .status(2);
    let options = read(proc, &ACCEPTS).await?;
    let Some(name) = options.rest.first() else {
        proc.err("Usage: usermod [options] LOGIN\n").await;
        return Ok(2);
    };
    let name = String::from_utf8_lossy(name).into_owned();
    locks(proc, "/etc/passwd").await?;
    let mut book = Book::read(proc);
    if !book.passwd.has(&name) {
        proc.say_err(format!("user '{name}' does not exist")).await;
        return Ok(6);
    }
    join(proc, &mut book, &name, text(&options, b'G').as_deref(), options.has(b'a')).await?;
    if let Some(group) = text(&options, b'g') {
        let gid = group_id(proc, &book, &group).await?;
        book.passwd.set(&name, 3, &gid);
    }
    for (letter, field) in [(b'u', 2), (b'c', 4), (b'd', 5), (b's', 6)] {
        if let Some(value) = text(&options, letter) {
            book.passwd.set(&name, field, &value);
        }
    }
    let hash = book.shadow.line(&name).and_then(|line| line.get(1).cloned()).unwrap_or_default();
    if let Some(hash) = text(&options, b'p') {
        book.set_hash(proc, &name, &hash);
    } else if options.has(b'L') {
        book.shadow.set(&name, 1, &format!("!{}", hash.trim_start_matches('!')));
    } else if options.has(b'U') {
        book.shadow.set(&name, 1, hash.trim_start_matches('!'));
    }
    if let Some(login) = text(&options, b'l') {
        if book.passwd.has(&login) {
            proc.say_err(format!("user '{login}' already exists")).await;
            return Ok(9);
        }
        book.passwd.set(&name, 0, &login);
        book.shadow.set(&name, 0, &login);
    }
    Ok(if book.write(proc).is_ok() { 0 } else { 1 })
}

/// `userdel`.
pub(in crate::shell::commands) async fn delete(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts = Accepts::new("frR:", &[("force", b'f'), ("remove", b'r')]).status(2);
    let options = read(proc, &ACCEPTS).await?;
    let Some(name) = options.rest.first() else {
        proc.err("Usage: userdel [options] LOGIN\n\nOptions:\n  -f, --force                   force removal of files,\n                                even if not owned by user\n  -h, --help                    display this help message and exit\n  -r, --remove                  remove home directory and mail spool\n\n").await;
        return Ok(2);
    };
    let name = String::from_utf8_lossy(name).into_owned();
    let mut book = Book::read(proc);
    if !book.passwd.has(&name) {
        proc.say_err(format!("user '{name}' does not exist")).await;
        return Ok(6);
    }
    locks(proc, "/etc/passwd").await?;
    let now = proc.io.now();
    let running = proc.host.with(|m| m.processes(now).into_iter().find(|p| p.user == name));
    if let Some(process) = running.filter(|_| !options.has(b'f')) {
        proc.say_err(format!("user {name} is currently used by process {}", process.pid)).await;
        return Ok(8);
    }
    let home = book.passwd.line(&name).and_then(|line| line.get(5).cloned()).unwrap_or_default();
    book.passwd.remove(&name);
    book.shadow.remove(&name);
    book.group.remove(&name);
    for members in book.group.lines.iter_mut().filter_map(|line| line.get_mut(3)) {
        *members = members.split(',').filter(|m| *m != name).collect::<Vec<_>>().join(",");
    }
    if book.write(proc).is_err() {
        return Ok(1);
    }
    if options.has(b'r') {
        let mail = format!("userdel: {name} mail spool (/var/mail/{name}) not found\n");
        proc.err(mail).await;
        let line = vec![b"rm".to_vec(), b"-rf".to_vec(), b"--".to_vec(), home.into_bytes()];
        crate::shell::commands::system::env::run_quietly(proc, line, "userdel").await;
    }
    Ok(0)
}

/// `groupadd`.
pub(in crate::shell::commands) async fn group(proc: &mut Proc) -> Outcome {
    const ACCEPTS: Accepts = Accepts::new(
        "fg:K:op:rR:U:",
        &[("force", b'f'), ("gid=", b'g'), ("non-unique", b'o'), ("system", b'r')],
    )
    .status(2);
    let options = read(proc, &ACCEPTS).await?;
    let Some(name) = options.rest.first() else {
        proc.err("Usage: groupadd [options] GROUP\n").await;
        return Ok(2);
    };
    let name = String::from_utf8_lossy(name).into_owned();
    if !valid(&name) {
        proc.say_err(format!("'{name}' is not a valid group name")).await;
        return Ok(3);
    }
    let mut book = Book::read(proc);
    if book.group.has(&name) {
        if options.has(b'f') {
            return Ok(0);
        }
        proc.say_err(format!("group '{name}' already exists")).await;
        return Ok(9);
    }
    locks(proc, "/etc/group").await?;
    let gid = text(&options, b'g')
        .unwrap_or_else(|| Book::free_id(&book.group, 2, options.has(b'r')).to_string());
    if gid.parse::<u32>().is_err() {
        proc.say_err(format!("invalid group ID '{gid}'")).await;
        return Ok(3);
    }
    book.group.add(&[&name, "x", &gid, ""]);
    Ok(if book.write(proc).is_ok() { 0 } else { 10 })
}
