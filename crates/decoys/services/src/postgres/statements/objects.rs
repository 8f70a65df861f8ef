//! Things beside tables and roles.

use super::{Done, Run};
use crate::postgres::errors::{self, error, notice};
use crate::sql::Fault;

pub(super) fn create_other(run: &mut Run<'_>, words: &[String]) -> Done {
    let at = if words.get(1).is_some_and(|word| word == "or") { 3 } else { 1 };
    let what = words.get(at).map_or("", String::as_str);
    match what {
        "function" | "procedure" => {
            let language = words
                .iter()
                .position(|word| word == "language")
                .and_then(|at| words.get(at + 1))
                .cloned()
                .unwrap_or_default();
            let lure = Some(if language == "c" { "udf" } else { "function" });
            if language.eq_ignore_ascii_case("c") {
                let library = words
                    .iter()
                    .position(|word| word == "as")
                    .and_then(|at| words.get(at + 1))
                    .cloned()
                    .unwrap_or_default();
                return Done {
                    lure,
                    ..Done::refused(error(
                        "58P01",
                        format!("could not access file \"{library}\": No such file or directory"),
                        ("dfmgr.c", 199, "internal_load_library"),
                    ))
                };
            }
            if !["sql", "plpgsql", "internal", ""].contains(&language.as_str()) {
                return Done {
                    lure,
                    ..Done::refused(
                        error(
                            "42704",
                            format!("language \"{language}\" does not exist"),
                            ("functioncmds.c", 1066, "CreateFunction"),
                        )
                        .hint("Use CREATE EXTENSION to load the language into the database."),
                    )
                };
            }
            Done { lure, ..Done::tag(&format!("CREATE {}", what.to_uppercase())) }
        }
        "extension" => {
            let name = words
                .iter()
                .skip(at + 1)
                .find(|word| !matches!(word.as_str(), "if" | "not" | "exists"))
                .cloned()
                .unwrap_or_default();
            if [
                "dblink",
                "pgcrypto",
                "file_fdw",
                "postgres_fdw",
                "uuid-ossp",
                "adminpack",
                "plpgsql",
            ]
            .contains(&name.as_str())
            {
                return Done::tag("CREATE EXTENSION");
            }
            let major = run.server.persona.major();
            Done::refused(error("0A000", format!("extension \"{name}\" is not available"), ("extension.c", 520, "parse_extension_control_file"))
                .detail(format!("Could not open extension control file \"/usr/share/postgresql/{major}/extension/{name}.control\": No such file or directory."))
                .hint("The extension must first be installed on the system where PostgreSQL is running."))
        }
        "" => {
            Done::refused(errors::say(&Fault::Syntax { at: 6, token: String::new() }, "create", 0))
        }
        what => {
            let what = if what == "unique" { "index" } else { what };
            Done::tag(&format!("CREATE {}", what.to_uppercase()))
        }
    }
}

pub(super) fn drop_other(words: &[String]) -> Done {
    let what = words.get(1).map_or("", String::as_str);
    let lenient = words.get(2).is_some_and(|word| word == "if");
    let name = words.get(if lenient { 4 } else { 2 }).cloned().unwrap_or_default();
    if lenient {
        let mut done = Done::tag(&format!("DROP {}", what.to_uppercase()));
        done.notices.push(notice(
            format!("{what} \"{name}\" does not exist, skipping"),
            ("dropcmds.c", 505, "does_not_exist_skipping"),
        ));
        return done;
    }
    match what {
        "schema" if name == "public" => Done::tag("DROP SCHEMA"),
        "function" => Done::refused(error(
            "42883",
            format!("could not find a function named \"{name}\""),
            ("parse_func.c", 2236, "LookupFuncNameInternal"),
        )),
        what => Done::refused(error(
            "42704",
            format!("{what} \"{name}\" does not exist"),
            ("tablecmds.c", 1304, "DropErrorMsgNonExistent"),
        )),
    }
}
