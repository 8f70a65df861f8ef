//! The tables of `mysql`.

use super::{MYSQL, columns, text, varchar};
use crate::mysql::auth;
use crate::mysql::world::Sight;
use crate::sql::{Column, Table, Type, Value};

/// The tables of `mysql`.
pub(super) fn own(sight: &Sight<'_>, name: &str) -> Option<Table> {
    let maria = sight.server.persona.maria;
    let plugin = "mysql_native_password";
    let users = || {
        let known = sight.server.persona.users.iter().map(|user| {
            (
                user.name.clone(),
                user.host.to_owned(),
                user.stored.as_ref().map(auth::shown).unwrap_or_default(),
                user.admin,
            )
        });
        let made = sight.server.left.users.iter().map(|(name, stored)| {
            (
                name.clone(),
                "%".to_owned(),
                if stored.is_empty() {
                    String::new()
                } else {
                    format!("*{}", stored.to_uppercase())
                },
                true,
            )
        });
        known.chain(made).collect::<Vec<_>>()
    };
    let flag = |truth: bool| text(if truth { "Y" } else { "N" });
    let (columns, rows) = match name {
        "user" => {
            let mut names = columns(&["Host", "User"]);
            if maria {
                names.push(Column::new("Password", Type::Text));
            }
            for privilege in ["Select_priv", "Insert_priv", "Update_priv", "Delete_priv", "Create_priv", "Drop_priv", "Reload_priv", "Shutdown_priv", "Process_priv", "File_priv", "Grant_priv", "Super_priv"] {
                names.push(Column::new(privilege, Type::Char(1)));
            }
            names.push(varchar("plugin"));
            names.push(Column::new("authentication_string", Type::Text));
            names.push(Column::new("password_expired", Type::Char(1)));
            names.push(Column::new("account_locked", Type::Char(1)));
            let rows = users().into_iter().map(|(name, host, stored, admin)| {
                let mut row = vec![text(host), text(name)];
                if maria {
                    row.push(text(stored.clone()));
                }
                row.extend((0..12).map(|_| flag(admin)));
                row.extend([text(plugin), text(stored), flag(false), flag(false)]);
                row
            });
            (names, rows.collect())
        }
        "global_priv" if maria => (
            columns(&["Host", "User", "Priv"]),
            users().into_iter().map(|(name, host, stored, admin)| {
                let access = if admin { 18_446_744_073_709_551_615_u64 } else { 0 };
                vec![text(host), text(name), Value::Text(format!("{{\"access\":{access},\"plugin\":\"{plugin}\",\"authentication_string\":\"{stored}\"}}"))]
            }).collect(),
        ),
        "db" => (
            columns(&["Host", "Db", "User", "Select_priv", "Insert_priv", "Update_priv", "Delete_priv"]),
            users().into_iter().filter(|(.., admin)| !admin).map(|(name, host, ..)| {
                vec![text(host), text(sight.server.persona.database.clone()), text(name), flag(true), flag(true), flag(true), flag(true)]
            }).collect(),
        ),
        "func" => (
            columns(&["name", "ret", "dl", "type"]),
            sight.server.left.functions.iter().map(|(name, library)| vec![text(name.clone()), Value::Int(2), text(library.clone()), text("function")]).collect(),
        ),
        "plugin" => (columns(&["name", "dl"]), Vec::new()),
        name if MYSQL.contains(&name) => (columns(&["name", "db", "Host", "User"]), Vec::new()),
        _ => return None,
    };
    Some(Table::of(columns, rows))
}
