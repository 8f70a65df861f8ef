//! `ACL`.

use super::client::fresh_hex;
use super::{Answer, Call, Reply, syntax};
use crate::redis::table;

pub(super) fn run(call: &mut Call<'_>) -> Answer {
    let seven = call.server.persona.seven;
    match call.word(1).as_str() {
        "whoami" => Ok(Reply::text(call.me.user.clone())),
        "list" => {
            let lines = call.server.users.iter().map(|(name, user)| user.line(name, seven));
            Ok(Reply::Array(lines.map(Reply::text).collect()))
        }
        "users" => Ok(Reply::Array(
            call.server.users.iter().map(|(name, _)| Reply::text(name.clone())).collect(),
        )),
        "getuser" => Ok(get(call)),
        "setuser" => {
            let name = String::from_utf8_lossy(call.arg(2)).into_owned();
            if name.len() > 256 || name.contains([' ', '\0']) {
                return Err(Reply::error("ERR Usernames can't contain spaces or null characters"));
            }
            call.server.users.set(&name, call.from(3)).map_err(Reply::error)?;
            call.server.changed();
            Ok(Reply::ok())
        }
        "deluser" => {
            if call.from(2).iter().any(|name| name == b"default") {
                return Err(Reply::error("ERR The 'default' user cannot be removed"));
            }
            let names = call.from(2).iter();
            let gone = names
                .filter(|name| call.server.users.remove(&String::from_utf8_lossy(name)))
                .count();
            call.server.changed();
            Ok(Reply::count(gone))
        }
        "cat" => cat(call),
        "genpass" => {
            let bits = if call.args.len() > 2 { call.int(2)? } else { 256 };
            if !(1..=4096).contains(&bits) {
                return Err(Reply::error(
                    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
                ));
            }
            let digits = usize::try_from(bits).unwrap_or(256).div_ceil(4);
            Ok(Reply::text(fresh_hex(call, digits)))
        }
        "log" if call.word(2) == "reset" => Ok(Reply::ok()),
        "log" => Ok(Reply::Array(Vec::new())),
        "load" | "save" => Err(Reply::error(
            "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.",
        )),
        "dryrun" => dry_run(call),
        _ => Ok(super::docs::help(call, "acl")),
    }
}

fn get(call: &Call<'_>) -> Reply {
    let seven = call.server.persona.seven;
    let name = String::from_utf8_lossy(call.arg(2));
    let Some(user) = call.server.users.get(&name) else { return Reply::Null };
    let mut flags = vec![if user.on { "on" } else { "off" }];
    if !seven {
        flags.extend((user.keys == ["*"]).then_some("allkeys"));
    }
    flags.extend(user.nopass.then_some("nopass"));
    flags.extend(seven.then_some("sanitize-payload"));
    let texts =
        |items: &[String]| Reply::Array(items.iter().map(|t| Reply::text(t.clone())).collect());
    let flags = flags.into_iter().map(Reply::text).collect();
    let mut out = vec![
        (Reply::text("flags"), if seven { Reply::Set(flags) } else { Reply::Array(flags) }),
        (Reply::text("passwords"), texts(&user.passwords)),
        (Reply::text("commands"), Reply::text(user.rules())),
    ];
    if seven {
        let join = |sign: char, items: &[String]| {
            let items: Vec<String> = items.iter().map(|item| format!("{sign}{item}")).collect();
            Reply::text(items.join(" "))
        };
        out.push((Reply::text("keys"), join('~', &user.keys)));
        out.push((Reply::text("channels"), join('&', &user.channels)));
        out.push((Reply::text("selectors"), Reply::Array(Vec::new())));
    } else {
        out.push((Reply::text("keys"), texts(&user.keys)));
    }
    Reply::Map(out)
}

fn cat(call: &Call<'_>) -> Answer {
    if call.args.len() == 2 {
        return Ok(Reply::Array(table::FAMILIES.iter().copied().map(Reply::text).collect()));
    }
    if call.args.len() > 3 {
        return Err(syntax());
    }
    let family = call.word(2);
    if !table::is_family(&family) {
        return Err(Reply::error(format!("ERR Unknown category '{family}'")));
    }
    let seven = call.server.persona.seven;
    let has = |spec: &&table::Spec| spec.families.split(' ').any(|known| known == family);
    let mut names = Vec::new();
    for spec in table::all(seven) {
        names.extend(Some(spec).filter(has).map(|spec| spec.name.to_owned()));
        if seven {
            names.extend(table::subs(spec.name).filter(has).map(|sub| sub.name.replace(' ', "|")));
        }
    }
    Ok(Reply::Array(names.into_iter().map(Reply::text).collect()))
}

fn dry_run(call: &Call<'_>) -> Answer {
    let name = String::from_utf8_lossy(call.arg(2));
    let Some(user) = call.server.users.get(&name) else {
        return Err(Reply::error(format!("ERR User '{name}' not found")));
    };
    let Some((spec, sub)) = super::specs(call.from(3)) else {
        return Err(Reply::error(format!("ERR Command '{}' not found", call.word(3))));
    };
    if user.may(spec, sub) {
        return Ok(Reply::ok());
    }
    Ok(Reply::text(format!(
        "This user has no permissions to run the '{}' command",
        super::full_name(spec, sub)
    )))
}
