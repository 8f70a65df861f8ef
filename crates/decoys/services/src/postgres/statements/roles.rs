//! Roles.

use super::{Done, Run};
use crate::postgres::errors::error;

pub(super) fn create_role(run: &mut Run<'_>, words: &[String]) -> Done {
    let name = words.get(2).cloned().unwrap_or_default();
    if !run.me.admin {
        return Done::refused(error(
            "42501",
            "permission denied to create role",
            ("user.c", 301, "CreateRole"),
        ));
    }
    let known = run.server.persona.roles.iter().any(|role| role.name == name)
        || run.server.left.roles.contains_key(&name);
    if known || name == "postgres" {
        return Done::refused(error(
            "42710",
            format!("role \"{name}\" already exists"),
            ("user.c", 348, "CreateRole"),
        ));
    }
    let password =
        words.iter().position(|word| word == "password").and_then(|at| words.get(at + 1)).cloned();
    let admin = words.iter().any(|word| word == "superuser");
    if run.server.has_room(0) && name.len() <= 64 {
        run.server.left.roles.insert(name, (password.unwrap_or_default(), admin));
        run.server.changed();
    }
    Done::tag("CREATE ROLE")
}

pub(super) fn alter_role(run: &mut Run<'_>, words: &[String]) -> Done {
    let name = words.get(2).cloned().unwrap_or_default();
    let password =
        words.iter().position(|word| word == "password").and_then(|at| words.get(at + 1)).cloned();
    let known = run.server.persona.roles.iter().any(|role| role.name == name);
    match run.server.left.roles.get_mut(&name) {
        Some(role) => {
            if let Some(password) = password {
                role.0 = password;
            }
            role.1 |= words.iter().any(|word| word == "superuser");
            run.server.changed();
            Done::tag("ALTER ROLE")
        }
        None if known => Done::tag("ALTER ROLE"),
        None => Done::refused(error(
            "42704",
            format!("role \"{name}\" does not exist"),
            ("user.c", 745, "AlterRole"),
        )),
    }
}

pub(super) fn drop_role(run: &mut Run<'_>, words: &[String]) -> Done {
    let name = words.last().cloned().unwrap_or_default();
    if run.server.left.roles.remove(&name).is_some() {
        run.server.changed();
        return Done::tag("DROP ROLE");
    }
    if run.server.persona.roles.iter().any(|role| role.name == name) {
        return Done::refused(
            error(
                "2BP01",
                format!("role \"{name}\" cannot be dropped because some objects depend on it"),
                ("user.c", 1003, "DropRole"),
            )
            .detail(format!("owner of database {}", run.me.database)),
        );
    }
    Done::refused(error(
        "42704",
        format!("role \"{name}\" does not exist"),
        ("user.c", 937, "DropRole"),
    ))
}
