//! What may stand before a parenthesis and leaves nothing in a session.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Functions, types and keywords, in lower case.
const NAMES: &str = "\
    abs add age all and any array array_agg array_append array_cat array_fill array_length \
    array_lower array_ndims array_position array_positions array_prepend array_remove \
    array_replace array_to_json array_to_string array_upper as ascii avg between bit bit_and \
    bit_length bit_or bool_and bool_or bpchar btrim by cardinality cast cbrt ceil ceiling char \
    char_length character character_length check chr clock_timestamp coalesce col_description \
    column columns concat concat_ws conflict constraint convert convert_from convert_to corr cos \
    count covar_pop covar_samp cube cume_dist current_database current_schema current_schemas \
    current_setting current_time current_timestamp currval cycle date date_bin date_part \
    date_trunc dec decimal decode default degrees delete dense_rank distinct div double else \
    encode end every except exclude exists exp extract factorial filter first_value float floor \
    for foreign format format_type freeze from gcd gen_random_uuid generate_series \
    generate_subscripts get_bit get_byte greatest group grouping has_any_column_privilege has_column_privilege \
    has_database_privilege has_schema_privilege has_sequence_privilege has_table_privilege \
    hashtext hashtextextended having host in include increment initcap inner int intersect \
    intersects interval into is isfinite join json_agg json_array_elements \
    json_array_elements_text json_array_length json_build_array json_build_object json_each \
    json_each_text json_extract_path json_extract_path_text json_object_agg json_object_keys \
    json_populate_record json_populate_recordset json_strip_nulls json_to_record \
    json_to_recordset json_typeof jsonb_agg jsonb_array_elements jsonb_array_elements_text \
    jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each jsonb_each_text \
    jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object_agg jsonb_object_keys \
    jsonb_path_exists jsonb_path_query jsonb_populate_record jsonb_populate_recordset \
    jsonb_pretty jsonb_set jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof key \
    lag last_value lastval lateral lcm lead least left length like limit list ln localtime \
    localtimestamp log log10 lower lower_inc lpad ltrim make_date make_interval make_time \
    make_timestamp make_timestamptz matched materialized max md5 min mod mode nchar nextval not \
    now nth_value ntile nullif numeric obj_description octet_length of offset on only or order \
    ordinality over overlaps overlay parse_ident partition percent_rank percentile_cont \
    percentile_disc pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_backend_pid \
    pg_blocking_pids pg_column_size pg_current_snapshot pg_current_wal_insert_lsn \
    pg_current_wal_lsn pg_current_xact_id pg_current_xact_id_if_assigned pg_database_size \
    pg_encoding_to_char pg_export_snapshot pg_get_constraintdef pg_get_expr pg_get_functiondef pg_get_indexdef \
    pg_get_partkeydef pg_get_serial_sequence pg_get_triggerdef pg_get_userbyid pg_get_viewdef \
    pg_has_role pg_indexes_size pg_is_in_recovery pg_last_wal_receive_lsn \
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_listening_channels \
    pg_my_temp_schema pg_notify pg_partition_tree pg_postmaster_start_time \
    pg_relation_filenode pg_relation_size pg_size_pretty pg_sleep pg_sleep_for pg_sleep_until \
    pg_snapshot_xip pg_snapshot_xmax pg_snapshot_xmin pg_stat_get_numscans pg_table_is_visible \
    pg_table_size pg_total_relation_size pg_try_advisory_xact_lock \
    pg_try_advisory_xact_lock_shared pg_type_is_visible pg_typeof pg_visible_in_snapshot \
    pg_wal_lsn_diff pg_xact_status pi position power primary quote_ident quote_literal \
    quote_nullable radians random range rank references regclass regexp_count regexp_instr \
    regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array \
    regexp_split_to_table regexp_substr regproc regr_intercept regr_r2 regr_slope regtype repeat \
    replace return returning reverse right rollup round row row_number row_to_json rows rpad \
    rtrim scale select session_user set setof sets setval sha224 sha256 sha384 sha512 sign \
    similar sin some split_part sqrt starts_with statement_timestamp stddev stddev_pop stdin stdout \
    stddev_samp string_agg string_to_array string_to_table strpos sub substr substring sum \
    symmetric tan temporary text then time timeofday timestamp timestamptz timetz to_ascii \
    to_char to_date to_hex to_json to_jsonb to_number to_regclass to_regnamespace to_regproc \
    to_regrole to_regtype to_timestamp transaction_timestamp translate trim trim_array \
    trim_scale trunc txid_current txid_current_if_assigned txid_current_snapshot txid_status \
    type union unique unistr unnest upper upper_inc using values var_pop var_samp varbit varchar \
    variance version when where width_bucket window with within xmlagg";

static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| NAMES.split(' ').collect());

/// Whether a function, a type or a keyword of this name leaves nothing.
pub(crate) fn is(name: &str) -> bool {
    SET.contains(name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_a_session_is_none_of_them() {
        for name in ["set_config", "pg_advisory_lock", "pg_try_advisory_lock_shared", "dblink"] {
            assert!(!is(name), "{name}");
        }
        assert!(is("COUNT") && is("pg_advisory_xact_lock") && is("with"));
        assert!(!is(""));
    }
}
