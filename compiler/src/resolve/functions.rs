//! What the compiler knows of PostgreSQL's own functions.
//!
//! In: a function's folded name. Out: a [`Class`]: whether a view that calls it can be kept up to
//! date. A document may depend on nothing but rows that fire triggers and on settings that the
//! generated functions pin; whatever else a function reads (the clock, the session, the catalog, other
//! tables) is refused. Names not listed anywhere are `Unknown`, never assumed harmless. The source
//! of the lists is `pg_proc`; of the STABLE functions only those are listed that are stable because
//! of rendering settings.

/// What calling a function means for a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A function of its arguments (and of pinned settings).
    Pure,
    /// An aggregate.
    Aggregate,
    /// Returns a set.
    SetReturning,
    /// Reads the clock.
    Time,
    /// Reads the session: role, settings, connection, transaction.
    Session,
    /// VOLATILE: random numbers, sequences, side effects.
    Volatile,
    /// Not a function of PostgreSQL that the compiler knows.
    Unknown,
}

/// STABLE only because of settings that generated functions pin, or because of type output functions.
const STABLE_UNDER_SETTINGS: &[&str] = &[
    "array_to_json",
    "array_to_string",
    "bpchar",
    "concat",
    "concat_ws",
    "convert",
    "convert_from",
    "convert_to",
    "date",
    "date_part",
    "date_trunc",
    "extract",
    "format",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "length",
    "make_timestamptz",
    "numeric",
    "overlaps",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "xml_is_well_formed",
    "date_add",
    "date_subtract",
    // Not functions in pg_proc, but written as calls.
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "row",
];

/// Take the text search configuration as their first argument, or from the session.
const TEXT_SEARCH: &[&str] =
    &["phraseto_tsquery", "plainto_tsquery", "to_tsquery", "to_tsvector", "websearch_to_tsquery"];

const AGGREGATES: &[&str] = &[
    "any_value",
    "array_agg",
    "avg",
    "bit_and",
    "bit_or",
    "bit_xor",
    "bool_and",
    "bool_or",
    "corr",
    "count",
    "covar_pop",
    "covar_samp",
    "every",
    "json_agg",
    "json_agg_strict",
    "json_arrayagg",
    "json_object_agg",
    "json_object_agg_strict",
    "json_objectagg",
    "jsonb_agg",
    "jsonb_agg_strict",
    "jsonb_object_agg",
    "jsonb_object_agg_strict",
    "max",
    "min",
    "mode",
    "percentile_cont",
    "percentile_disc",
    "range_agg",
    "range_intersect_agg",
    "regr_avgx",
    "regr_avgy",
    "regr_count",
    "regr_intercept",
    "regr_r2",
    "regr_slope",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "string_agg",
    "sum",
    "var_pop",
    "var_samp",
    "variance",
    "xmlagg",
];

const SET_RETURNING: &[&str] = &[
    "generate_series",
    "generate_subscripts",
    "json_array_elements",
    "json_array_elements_text",
    "json_each",
    "json_each_text",
    "json_object_keys",
    "json_populate_recordset",
    "json_to_recordset",
    "jsonb_array_elements",
    "jsonb_array_elements_text",
    "jsonb_each",
    "jsonb_each_text",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_path_query_tz",
    "jsonb_populate_recordset",
    "jsonb_to_recordset",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
    "unnest",
];

const TIME: &[&str] = &[
    "age",
    "clock_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "now",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
];

const SESSION: &[&str] = &[
    "current_catalog",
    "current_database",
    "current_query",
    "current_role",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_user",
    "inet_client_addr",
    "inet_client_port",
    "inet_server_addr",
    "inet_server_port",
    "pg_backend_pid",
    "pg_client_encoding",
    "pg_current_xact_id",
    "pg_trigger_depth",
    "session_user",
    "system_user",
    "txid_current",
    "user",
    "version",
];

const VOLATILE: &[&str] = &[
    "array_sample",
    "array_shuffle",
    "currval",
    "gen_random_uuid",
    "lastval",
    "nextval",
    "pg_advisory_lock",
    "pg_notify",
    "pg_sleep",
    "random",
    "random_normal",
    "set_config",
    "setseed",
    "setval",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];

/// The class of a function of pg_catalog, by its folded name. `arguments` tells `age(a, b)`, which
/// is pure, from `age(a)`, which reads the clock.
pub fn classify(name: &str, arguments: usize) -> Class {
    let listed = |list: &[&str]| list.contains(&name);
    let explicit = arguments == 2 && (name == "age" || listed(TEXT_SEARCH));
    if explicit || listed(STABLE_UNDER_SETTINGS) || is_immutable(name) {
        Class::Pure
    } else if listed(AGGREGATES) {
        Class::Aggregate
    } else if listed(SET_RETURNING) {
        Class::SetReturning
    } else if listed(TIME) {
        Class::Time
    } else if listed(SESSION) || listed(TEXT_SEARCH) {
        Class::Session
    } else if listed(VOLATILE) {
        Class::Volatile
    } else {
        Class::Unknown
    }
}

/// Whether the result depends on lc_* settings and the like, which are pinned only where needed.
pub fn depends_on_locale(name: &str) -> bool {
    matches!(name, "to_char" | "to_number" | "to_date" | "to_timestamp" | "format" | "quote_ident")
        || name.starts_with("xml")
}

fn is_immutable(name: &str) -> bool {
    use std::sync::OnceLock;
    static SORTED: OnceLock<Vec<&str>> = OnceLock::new();
    let names = SORTED.get_or_init(|| {
        let mut names: Vec<&str> = include_str!("immutable.txt").lines().filter(|l| !l.starts_with('#')).collect();
        names.sort_unstable();
        names
    });
    names.binary_search(&name).is_ok()
}

/// Whether a function's result is json or jsonb.
pub fn json_result(name: &str) -> Option<JsonType> {
    let scalar = ["_typeof", "_array_length", "_text", "_exists", "_match", "_object_keys"];
    if scalar.iter().any(|s| name.contains(s)) || name.ends_with("_to_tsvector") || name.ends_with("_pretty") {
        return None;
    }
    match name {
        "to_jsonb" => Some(JsonType::Jsonb),
        "to_json" | "row_to_json" | "array_to_json" => Some(JsonType::Json),
        _ if name.starts_with("jsonb_") => Some(JsonType::Jsonb),
        _ if name.starts_with("json_") => Some(JsonType::Json),
        _ => None,
    }
}

/// Which type a document is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// Text, kept as written.
    Json,
    /// Binary.
    Jsonb,
    /// `json[]`.
    JsonArray,
    /// `jsonb[]`.
    JsonbArray,
}

impl JsonType {
    /// Of an array of such values.
    pub fn array(self) -> JsonType {
        match self {
            JsonType::Json | JsonType::JsonArray => JsonType::JsonArray,
            JsonType::Jsonb | JsonType::JsonbArray => JsonType::JsonbArray,
        }
    }

    /// Of an element or a part of such a value.
    pub fn element(self) -> JsonType {
        match self {
            JsonType::Json | JsonType::JsonArray => JsonType::Json,
            JsonType::Jsonb | JsonType::JsonbArray => JsonType::Jsonb,
        }
    }

    /// Whether it is an array of PostgreSQL's.
    pub fn is_array(self) -> bool {
        matches!(self, JsonType::JsonArray | JsonType::JsonbArray)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes() {
        assert_eq!(classify("lower", 1), Class::Pure);
        assert_eq!(classify("age", 2), Class::Pure);
        assert_eq!(classify("age", 1), Class::Time);
        assert_eq!(classify("jsonb_agg", 1), Class::Aggregate);
        assert_eq!(classify("random", 0), Class::Volatile);
        assert_eq!(classify("my_own", 0), Class::Unknown);
    }
}
