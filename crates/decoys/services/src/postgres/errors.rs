//! The product's codes, texts and places in its source.

use crate::sql::Fault;

/// An error or notice as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) severity: &'static str,
    pub(super) state: &'static str,
    pub(super) text: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
    /// Character of the statement, from one.
    pub(super) position: Option<usize>,
    /// Where a server was at (`W`).
    pub(super) place: Option<String>,
    /// File, line and routine.
    pub(super) source: (&'static str, u32, &'static str),
}

impl Refusal {
    pub(super) fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// An error of `state`.
pub(super) fn error(
    state: &'static str,
    text: impl Into<String>,
    source: (&'static str, u32, &'static str),
) -> Refusal {
    Refusal {
        severity: "ERROR",
        state,
        text: text.into(),
        detail: None,
        hint: None,
        position: None,
        place: None,
        source,
    }
}

/// An error that ends the connection.
pub(super) fn fatal(
    state: &'static str,
    text: impl Into<String>,
    source: (&'static str, u32, &'static str),
) -> Refusal {
    Refusal { severity: "FATAL", ..error(state, text, source) }
}

/// A warning.
pub(super) fn warning(
    state: &'static str,
    text: impl Into<String>,
    source: (&'static str, u32, &'static str),
) -> Refusal {
    Refusal { severity: "WARNING", ..error(state, text, source) }
}

/// A notice.
pub(super) fn notice(
    text: impl Into<String>,
    source: (&'static str, u32, &'static str),
) -> Refusal {
    Refusal { severity: "NOTICE", ..error("00000", text, source) }
}

/// Lines of the refusal of a protocol version, by release: scanners tell releases apart by them.
pub(super) fn version_line(version: &str) -> u32 {
    let mut parts = version.split(['.', ' ']).map(|part| part.parse::<u32>().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match (major, minor) {
        (..=12, _) => 2065,
        (13, ..=4) => 2109,
        (13, _) => 2133,
        (14, ..=5) => 2138,
        (14, _) => 2150,
        (15, ..=3) => 2195,
        _ => 2222,
    }
}

/// `fault` of `statement` as the product says it.
pub(super) fn say(fault: &Fault, statement: &str, offset: usize) -> Refusal {
    let at = |byte: usize| {
        let before = statement.get(..byte).unwrap_or(statement);
        Some(offset + before.chars().count() + 1)
    };
    match fault {
        Fault::Syntax { at: byte, token } => {
            let text = if token.is_empty() { "syntax error at end of input".to_owned() } else { format!("syntax error at or near \"{token}\"") };
            Refusal { position: at(*byte), ..error("42601", text, ("scan.l", 1188, "scanner_yyerror")) }
        }
        Fault::Unterminated { at: byte, token } => {
            let kind = match token.get(..1) {
                Some("'") => "quoted string",
                Some("\"") => "quoted identifier",
                Some("$") => "dollar-quoted string",
                _ => "/* comment",
            };
            Refusal { position: at(*byte), ..error("42601", format!("unterminated {kind} at or near \"{token}\""), ("scan.l", 1188, "scanner_yyerror")) }
        }
        Fault::Empty => error("42601", "syntax error at end of input", ("scan.l", 1188, "scanner_yyerror")),
        Fault::TooComplex => error("54001", "stack depth limit exceeded", ("postgres.c", 3496, "check_stack_depth"))
            .hint("Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate."),
        Fault::TooLong => error("57014", "canceling statement due to statement timeout", ("postgres.c", 3411, "ProcessInterrupts")),
        Fault::NoTable { schema, name, at: byte } => {
            let full = schema.as_ref().map_or_else(|| name.clone(), |schema| format!("{schema}.{name}"));
            Refusal { position: at(*byte), ..error("42P01", format!("relation \"{full}\" does not exist"), ("parse_relation.c", 1392, "parserOpenTable")) }
        }
        Fault::NoColumn { table, name, at: byte, .. } => {
            let text = match table {
                Some(table) => format!("column {table}.{name} does not exist"),
                None => format!("column \"{name}\" does not exist"),
            };
            Refusal { position: at(*byte), ..error("42703", text, ("parse_relation.c", 3665, "errorMissingColumn")) }
        }
        Fault::Ambiguous { name, at: byte, .. } => Refusal {
            position: at(*byte),
            ..error("42702", format!("column reference \"{name}\" is ambiguous"), ("parse_relation.c", 747, "colNameToVar"))
        },
        Fault::NoFunction { name, types, at: byte } => Refusal {
            position: at(*byte),
            ..error("42883", format!("function {name}({}) does not exist", types.join(", ")), ("parse_func.c", 629, "ParseFuncOrColumn"))
                .hint("No function matches the given name and argument types. You might need to add explicit type casts.")
        },
        Fault::NoDatabase(name) => error("3D000", format!("database \"{name}\" does not exist"), ("dbcommands.c", 1549, "dropdb")),
        Fault::NoneChosen => error("3F000", "no schema has been selected to create in", ("namespace.c", 3089, "GetOverrideSearchPath")),
        Fault::TableExists(name) => error("42P07", format!("relation \"{name}\" already exists"), ("heap.c", 1146, "heap_create_with_catalog")),
        Fault::DatabaseExists(name) => error("42P04", format!("database \"{name}\" already exists"), ("dbcommands.c", 1242, "createdb")),
        Fault::Input { kind, text } => {
            let (state, source) = match *kind {
                "date" | "timestamp" => ("22007", ("datetime.c", 3774, "DateTimeParseError")),
                _ => ("22P02", ("numutils.c", 232, "pg_strtoint32")),
            };
            error(state, format!("invalid input syntax for type {kind}: \"{text}\""), source)
        }
        Fault::DivisionByZero => error("22012", "division by zero", ("int.c", 869, "int4div")),
        Fault::ManyRows => error("21000", "more than one row returned by a subquery used as an expression", ("nodeSubplan.c", 1147, "ExecSetParamPlan")),
        Fault::Columns { .. } => error("42601", "each UNION query must have the same number of columns", ("analyze.c", 2061, "transformSetOperationTree")),
        Fault::Duplicate { table, key, value } => {
            let (name, column) = if key == "PRIMARY" { (format!("{table}_pkey"), "id".to_owned()) } else { (format!("{table}_{key}_key"), key.clone()) };
            error("23505", format!("duplicate key value violates unique constraint \"{name}\""), ("nbtinsert.c", 664, "_bt_check_unique"))
                .detail(format!("Key ({column})=({value}) already exists."))
        }
        Fault::NotNull { table, column } => error(
            "23502",
            format!("null value in column \"{column}\" of relation \"{table}\" violates not-null constraint"),
            ("execMain.c", 2003, "ExecConstraints"),
        ),
        Fault::Full => error("53100", "could not extend file \"base/16388/16390\": No space left on device", ("md.c", 450, "mdextend")).hint("Check free disk space."),
        Fault::NoParameter(number) => {
            let sign = format!("${number}");
            let byte = statement.find(&sign).unwrap_or(0);
            Refusal { position: at(byte), ..error("42P02", format!("there is no parameter {sign}"), ("parse_expr.c", 838, "transformParamRef")) }
        }
        Fault::Product(code, text) => error(code, text.clone(), source_of(code, text)),
    }
}

/// Where the product finds what only it finds.
fn source_of(code: &str, text: &str) -> (&'static str, u32, &'static str) {
    match code {
        "42501" => ("aclchk.c", 3650, "aclcheck_error"),
        "42704" if text.starts_with("large object") => ("inv_api.c", 277, "inv_open"),
        "42704" if text.starts_with("unrecognized") => ("guc.c", 6020, "find_option"),
        "42704" => ("parse_type.c", 270, "typenameType"),
        "42883" => ("regproc.c", 143, "regprocin"),
        "0A000" => ("xml.c", 496, "xmlelement"),
        code if code.starts_with("58") => ("genfile.c", 200, "read_binary_file"),
        _ => ("parse_target.c", 1089, "checkInsertTargets"),
    }
}
