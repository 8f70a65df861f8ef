//! Functions that only PostgreSQL has.

use super::catalogue;
use super::world::{After, Sight, pretty, stamp};
use crate::sql::{Fault, Type, Value};

type Answer = Option<Result<Value, Fault>>;

/// The value of function `name`; none when it is not one of these.
pub(super) fn call(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    [session, settings, relations, files, objects, numbers]
        .iter()
        .find_map(|family| family(sight, name, args))
}

fn text_of(args: &[Value], at: usize) -> String {
    args.get(at).and_then(Value::shown).unwrap_or_default()
}

fn int_of(args: &[Value], at: usize) -> i64 {
    args.get(at).map_or(0, Value::int)
}

/// Who and where one is.
fn session(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    let int = |at: usize| int_of(args, at);
    let persona = &sight.server.persona;
    Some(Ok(match (name, args.len()) {
        ("version", 0) => Value::Text(persona.banner()),
        ("current_database" | "current_catalog", 0) => Value::text(sight.me.database.clone()),
        ("current_schema", 0) => Value::text("public"),
        ("current_schemas", 1) => {
            Value::List(if args.first().and_then(Value::truth) == Some(true) {
                vec![Value::text("pg_catalog"), Value::text("public")]
            } else {
                vec![Value::text("public")]
            })
        }
        ("current_user" | "session_user" | "user" | "current_role" | "getpgusername", 0) => {
            Value::text(sight.me.user.clone())
        }
        ("pg_backend_pid", 0) => Value::Int(i64::try_from(sight.me.pid).unwrap_or(0)),
        ("pg_postmaster_start_time" | "pg_conf_load_time", 0) => {
            Value::Text(stamp(persona.started * 1_000_000))
        }
        ("pg_is_in_recovery" | "pg_is_wal_replay_paused", 0) => Value::Bool(false),
        ("inet_server_addr", 0) => Value::text(sight.me.local.clone()),
        ("inet_server_port", 0) => Value::Int(5432),
        ("inet_client_addr", 0) => Value::text(sight.me.address.clone()),
        ("inet_client_port", 0) => Value::Int(sight.me.port.into()),
        ("pg_terminate_backend" | "pg_cancel_backend", 1 | 2) => {
            let pid = u64::try_from(int(0)).unwrap_or(0);
            let there = sight.server.connections.contains_key(&pid);
            if there && name == "pg_terminate_backend" {
                sight.after.borrow_mut().push(After::Terminate(pid));
            }
            Value::Bool(there)
        }
        ("pg_reload_conf" | "pg_rotate_logfile", 0) => Value::Bool(true),
        ("nextval" | "currval" | "lastval", _) => {
            let name = text(0);
            let next = sight
                .tables()
                .find(|(table, _)| name.starts_with(table.as_str()))
                .map_or(1, |(_, table)| table.next);
            Value::Int(if name.is_empty() || args.is_empty() { 1 } else { next })
        }
        ("txid_current", 0) => Value::Int(750 + sight.now.seconds().rem_euclid(100_000) / 40),
        ("pg_current_wal_lsn" | "pg_current_xlog_location", 0) => Value::text("0/1945F50"),
        ("pg_my_temp_schema", 0) => Value::Int(0),
        ("query_to_xml" | "database_to_xml", _) => {
            return Some(Err(Fault::Product("0A000", "unsupported XML feature".to_owned())));
        }
        _ => return None,
    }))
}

/// Settings, and waiting.
fn settings(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    Some(Ok(match (name, args.len()) {
        ("current_setting", 1 | 2) => match sight.setting(&text(0)) {
            Some(value) => Value::Text(value),
            None if args.len() == 2 => Value::Null,
            None => {
                return Some(Err(Fault::Product(
                    "42704",
                    format!("unrecognized configuration parameter \"{}\"", text(0)),
                )));
            }
        },
        ("set_config", 3) => {
            sight.after.borrow_mut().push(After::Set(text(0), text(1)));
            Value::Text(text(1))
        }
        ("pg_sleep", 1) => {
            let micros = (args.first().map_or(0.0, Value::number) * 1e6).clamp(0.0, 300e6);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "clamped before"
            )]
            let micros = micros as u64;
            sight.sleeps.set(sight.sleeps.get().saturating_add(micros).min(300_000_000));
            Value::text("")
        }
        _ => return None,
    }))
}

/// What the catalogue tells of tables, roles and types.
fn relations(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    let int = |at: usize| int_of(args, at);
    let maybe = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    Some(Ok(match (name, args.len()) {
        ("pg_get_userbyid", 1) => {
            let oid = int(0);
            let role =
                catalogue::role_numbers(sight).into_iter().find(|(_, number, ..)| *number == oid);
            Value::Text(role.map_or_else(|| format!("unknown (OID={oid})"), |(name, ..)| name))
        }
        ("pg_encoding_to_char", 1) => Value::text(if int(0) == 6 { "UTF8" } else { "SQL_ASCII" }),
        ("pg_char_to_encoding", 1) => Value::Int(6),
        ("pg_client_encoding" | "getdatabaseencoding", 0) => Value::text("UTF8"),
        ("format_type", 2) if args.first().is_some_and(Value::is_null) => Value::Null,
        ("format_type", 2) => {
            Value::Text(catalogue::type_name(int(0), args.get(1).map_or(-1, Value::int)))
        }
        ("pg_get_expr", 2 | 3) => args.first().cloned().unwrap_or(Value::Null),
        ("pg_get_indexdef", 1 | 3) => maybe(catalogue::index_definition(sight, int(0), false)),
        ("pg_get_constraintdef", 1 | 2) => {
            maybe(catalogue::index_definition(sight, int(0) - 1, true))
        }
        ("pg_get_serial_sequence", 2) => Value::Text(format!("public.{}_{}_seq", text(0), text(1))),
        (
            "pg_get_viewdef"
            | "pg_get_functiondef"
            | "pg_get_triggerdef"
            | "pg_get_ruledef"
            | "pg_get_partkeydef"
            | "pg_get_statisticsobjdef_columns"
            | "pg_get_function_result"
            | "pg_get_function_arguments"
            | "pg_get_function_identity_arguments",
            _,
        )
        | ("obj_description" | "col_description" | "shobj_description", _) => Value::Null,
        ("pg_table_is_visible", 1) => Value::Bool(catalogue::is_visible(int(0))),
        (
            "pg_type_is_visible"
            | "pg_function_is_visible"
            | "pg_opclass_is_visible"
            | "pg_operator_is_visible"
            | "pg_collation_is_visible"
            | "pg_conversion_is_visible"
            | "pg_ts_config_is_visible"
            | "pg_ts_parser_is_visible"
            | "pg_ts_dict_is_visible"
            | "pg_ts_template_is_visible"
            | "pg_statistics_obj_is_visible",
            1,
        ) => Value::Bool(true),
        ("pg_relation_is_publishable", 1) => Value::Bool(true),
        (name, 1..=3) if name.starts_with("has_") && name.ends_with("_privilege") => {
            Value::Bool(true)
        }
        ("pg_has_role", 2 | 3) => Value::Bool(sight.me.admin),
        ("pg_size_pretty", 1) => Value::Text(pretty(int(0))),
        (
            "pg_table_size" | "pg_relation_size" | "pg_total_relation_size" | "pg_indexes_size",
            1 | 2,
        ) => Value::Int(sight.size(sight.oid_of(args.first()))),
        ("pg_database_size", 1) => {
            Value::Int(7_689_007 + i64::try_from(text(0).len()).unwrap_or(0) * 8192)
        }
        ("pg_tablespace_size", 1) => Value::Int(37_818_368),
        ("pg_tablespace_location", 1) => Value::text(""),
        ("pg_typeof", 1) => {
            let (oid, ..) = super::replies::type_of(args.first().map_or(Type::Text, Value::kind));
            Value::Text(catalogue::type_name(oid.into(), -1))
        }
        ("pg_describe_object" | "pg_identify_object", 3) => {
            Value::text("function plpgsql_call_handler()")
        }
        ("to_regclass", 1) => catalogue::number_of(sight, &text(0))
            .and_then(|oid| catalogue::name_of(sight, oid))
            .map_or(Value::Null, Value::Text),
        _ => return None,
    }))
}

/// Files of the machine.
fn files(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    let int = |at: usize| int_of(args, at);
    Some(Ok(match (name, args.len()) {
        ("pg_read_file" | "pg_read_binary_file", 1..=4) => match sight.file(name, &text(0)) {
            Err(fault) => return Some(Err(fault)),
            Ok(bytes) => {
                let skip = usize::try_from(int(1)).unwrap_or(0).min(bytes.len());
                let take =
                    if args.len() > 2 { usize::try_from(int(2)).unwrap_or(0) } else { usize::MAX };
                let bytes: Vec<u8> = bytes.into_iter().skip(skip).take(take).collect();
                if name == "pg_read_file" {
                    Value::Text(String::from_utf8_lossy(&bytes).into_owned())
                } else {
                    Value::Bytes(bytes)
                }
            }
        },
        _ => return None,
    }))
}

/// Large objects.
fn objects(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    let int = |at: usize| int_of(args, at);
    Some(Ok(match (name, args.len()) {
        ("lo_create" | "lo_creat", 1) => {
            let oid = u32::try_from(int(0))
                .ok()
                .filter(|oid| *oid > 0)
                .unwrap_or(sight.server.left.next_object);
            sight.after.borrow_mut().push(After::Object(oid, Vec::new()));
            Value::Int(oid.into())
        }
        ("lo_from_bytea", 2) => {
            let oid = u32::try_from(int(0))
                .ok()
                .filter(|oid| *oid > 0)
                .unwrap_or(sight.server.left.next_object);
            let content = match args.get(1) {
                Some(Value::Bytes(bytes)) => bytes.clone(),
                _ => text(1).into_bytes(),
            };
            sight.after.borrow_mut().push(After::Object(oid, content));
            Value::Int(oid.into())
        }
        ("lo_put", 3) => {
            let oid = u32::try_from(int(0)).unwrap_or(0);
            let Some(known) = sight.server.left.objects.get(&oid) else {
                return Some(Err(no_object(oid)));
            };
            let at = usize::try_from(int(1)).unwrap_or(0).min(known.len());
            let mut content = known.get(..at).unwrap_or_default().to_vec();
            match args.get(2) {
                Some(Value::Bytes(bytes)) => content.extend(bytes),
                _ => content.extend(text(2).into_bytes()),
            }
            sight.after.borrow_mut().push(After::Object(oid, content));
            Value::text("")
        }
        ("lo_get", 1..) => {
            match sight.server.left.objects.get(&u32::try_from(int(0)).unwrap_or(0)) {
                Some(bytes) => Value::Bytes(bytes.clone()),
                None => return Some(Err(no_object(u32::try_from(int(0)).unwrap_or(0)))),
            }
        }
        ("lo_import", 1 | 2) => match sight.file(name, &text(0)) {
            Err(fault) => return Some(Err(fault)),
            Ok(bytes) => {
                let oid = if args.len() == 2 {
                    u32::try_from(int(1)).unwrap_or(0)
                } else {
                    sight.server.left.next_object
                };
                sight.after.borrow_mut().push(After::Object(oid, bytes));
                Value::Int(oid.into())
            }
        },
        ("lo_export", 2) => {
            let oid = u32::try_from(int(0)).unwrap_or(0);
            if let Err(fault) = sight.may_touch_files(name) {
                return Some(Err(fault));
            }
            if !sight.server.left.objects.contains_key(&oid) {
                return Some(Err(no_object(oid)));
            }
            sight.after.borrow_mut().push(After::Export(oid, text(1)));
            Value::Int(1)
        }
        ("lo_unlink", 1) => {
            let oid = u32::try_from(int(0)).unwrap_or(0);
            if !sight.server.left.objects.contains_key(&oid) {
                return Some(Err(no_object(oid)));
            }
            sight.after.borrow_mut().push(After::Unlink(oid));
            Value::Int(1)
        }
        _ => return None,
    }))
}

/// Names of things as numbers, and back.
fn numbers(sight: &Sight<'_>, name: &str, args: &[Value]) -> Answer {
    let text = |at: usize| text_of(args, at);
    Some(Ok(match (name, args.len()) {
        ("cast to oid", 2) => {
            let given = text(1);
            if let Ok(number) = given.parse::<i64>() {
                return Some(Ok(Value::Int(number)));
            }
            match text(0).rsplit('.').next().unwrap_or_default() {
                "regclass" => match catalogue::number_of(sight, &given) {
                    Some(oid) => Value::Text(catalogue::name_of(sight, oid).unwrap_or(given)),
                    None => {
                        return Some(Err(Fault::NoTable { schema: None, name: given, at: 0 }));
                    }
                },
                "regtype" => match catalogue::type_number(&given) {
                    Some(oid) => Value::Text(catalogue::type_name(oid, -1)),
                    None => {
                        return Some(Err(Fault::Product(
                            "42704",
                            format!("type \"{given}\" does not exist"),
                        )));
                    }
                },
                "regproc" | "regprocedure" => {
                    return Some(Err(Fault::Product(
                        "42883",
                        format!("function \"{given}\" does not exist"),
                    )));
                }
                "regnamespace" | "regrole" => Value::Text(given),
                _ => return None,
            }
        }
        ("show oid", 2) => {
            let Some(Value::Int(oid)) = args.get(1) else {
                return args.get(1).cloned().map(Ok);
            };
            match text(0).rsplit('.').next().unwrap_or_default() {
                "regclass" => {
                    Value::Text(catalogue::name_of(sight, *oid).unwrap_or_else(|| oid.to_string()))
                }
                "regtype" => Value::Text(catalogue::type_name(*oid, -1)),
                "regnamespace" => Value::text(match oid {
                    11 => "pg_catalog",
                    99 => "pg_toast",
                    2200 => "public",
                    _ => "information_schema",
                }),
                _ => return None,
            }
        }
        _ => return None,
    }))
}

fn no_object(oid: u32) -> Fault {
    Fault::Product("42704", format!("large object {oid} does not exist"))
}
