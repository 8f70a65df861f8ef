//! `id`, `whoami`, `groups`.

use crate::shell::commands::complaint::typed;
use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let name = proc.name();
    if name == "whoami" {
        let line = format!("{}\n", proc.user.name);
        proc.out(line).await?;
        return Ok(0);
    }
    let accepts =
        Accepts::new("ugGnr", &[("user", b'u'), ("group", b'g'), ("groups", b'G'), ("name", b'n')]);
    let options = read(proc, &accepts).await?;
    let who = options.rest.first().cloned().unwrap_or_else(|| proc.user.name.clone().into_bytes());
    let Some(account) = proc.host.account(&who) else {
        let shown = if name == "groups" || name == "id" { typed(&who) } else { who };
        proc.err([name.as_bytes(), b": ", &shown, b": no such user\n"].concat()).await;
        return Ok(1);
    };
    let (groups, group_name) = proc.host.with(|machine| {
        let accounts = machine.accounts();
        let mut groups = vec![account.gid];
        groups.extend(accounts.groups_of(&account));
        let name =
            |gid: u32| accounts.group_name(gid).map_or_else(|| gid.to_string(), str::to_owned);
        let names: Vec<String> = groups.iter().map(|gid| name(*gid)).collect();
        (groups, names)
    });
    let names = options.has(b'n');
    let line = if name == "groups" {
        let list = group_name.join(" ");
        if options.rest.is_empty() { list } else { format!("{} : {list}", account.name) }
    } else if options.has(b'u') {
        if names { account.name.clone() } else { account.uid.to_string() }
    } else if options.has(b'g') {
        if names {
            group_name.first().cloned().unwrap_or_default()
        } else {
            account.gid.to_string()
        }
    } else if options.has(b'G') {
        let numbers: Vec<String> = groups.iter().map(u32::to_string).collect();
        if names { group_name.join(" ") } else { numbers.join(" ") }
    } else {
        let list: Vec<String> =
            groups.iter().zip(&group_name).map(|(gid, name)| format!("{gid}({name})")).collect();
        format!(
            "uid={}({}) gid={} groups={}",
            account.uid,
            account.name,
            list.first().cloned().unwrap_or_default(),
            list.join(",")
        )
    };
    proc.out(format!("{line}\n")).await?;
    Ok(0)
}
