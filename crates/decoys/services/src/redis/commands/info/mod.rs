//! `INFO`: figures that agree with each other and with the machine.

/// `key:value` lines.
macro_rules! lines {
    ($($key:literal => $value:expr),* $(,)?) => {
        vec![$(format!("{}:{}", $key, $value)),*]
    };
}

mod memory;

use self::memory::{memory, ratio};
pub(super) use self::memory::{memory_stats, used_memory};
use super::{Call, Reply};
use crate::redis::keyspace::DATABASES;
use crate::redis::server::{Counts, Server};

/// Sections in their order; the last ones only on demand.
const SECTIONS: &[&str] = &[
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "cpu",
    "modules",
    "commandstats",
    "errorstats",
    "latencystats",
    "cluster",
    "keyspace",
];
/// What is left out unless asked for.
const ON_DEMAND: &[&str] = &["commandstats", "latencystats"];

pub(super) fn run(call: &Call<'_>) -> Reply {
    let seven = call.server.persona.seven;
    let wanted: Vec<String> = (1..call.args.len().min(32)).map(|at| call.word(at)).collect();
    if !seven && wanted.len() > 1 {
        return super::syntax();
    }
    let everything = wanted.iter().any(|word| word == "all" || word == "everything");
    let default = wanted.is_empty() || wanted.iter().any(|word| word == "default");
    let mut out = Vec::new();
    for section in SECTIONS {
        let named = wanted.iter().any(|word| word == section);
        let usual = default && !ON_DEMAND.contains(section);
        let exists = seven || !matches!(*section, "errorstats" | "latencystats");
        if exists && (named || everything || usual) {
            out.push(self::section(call, section));
        }
    }
    Reply::Verbatim(out.join("\r\n"))
}

fn section(call: &Call<'_>, name: &str) -> String {
    let lines = match name {
        "server" => server(call),
        "clients" => clients(call),
        "memory" => memory(call),
        "persistence" => persistence(call),
        "stats" => stats(call),
        "replication" => replication(call),
        "cpu" => cpu(call),
        "commandstats" => commands(call.server),
        "errorstats" => errors(call.server),
        "cluster" => vec!["cluster_enabled:0".to_owned()],
        "keyspace" => keyspace(call),
        _ => Vec::new(),
    };
    let title = match name {
        "cpu" => "CPU".to_owned(),
        name => {
            let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
            format!("{}{rest}", first.to_uppercase())
        }
    };
    let mut out = format!("# {title}\r\n");
    for line in lines {
        out.push_str(&line);
        out.push_str("\r\n");
    }
    out
}

fn server(call: &Call<'_>) -> Vec<String> {
    let persona = &call.server.persona;
    let up = persona.uptime(call.now);
    let mut out = lines! {
        "redis_version" => persona.version,
        "redis_git_sha1" => "00000000",
        "redis_git_dirty" => 0,
        "redis_build_id" => persona.build,
        "redis_mode" => "standalone",
        "os" => persona.os,
        "arch_bits" => 64,
    };
    if persona.seven {
        out.push("monotonic_clock:POSIX clock_gettime".to_owned());
    }
    out.extend(lines! {
        "multiplexing_api" => "epoll",
        "atomicvar_api" => if persona.seven { "c11-builtin" } else { "atomic-builtin" },
        "gcc_version" => persona.gcc,
        "process_id" => persona.pid,
    });
    if persona.seven {
        out.push("process_supervised:systemd".to_owned());
    }
    out.extend(lines! { "run_id" => persona.run_id, "tcp_port" => 6379 });
    if persona.seven {
        out.push(format!("server_time_usec:{}", call.now.micros()));
    }
    out.extend(lines! {
        "uptime_in_seconds" => up,
        "uptime_in_days" => up / 86_400,
        "hz" => 10,
        "configured_hz" => 10,
        "lru_clock" => call.now.seconds() & 0xff_ffff,
        "executable" => "/usr/bin/redis-server",
        "config_file" => "/etc/redis/redis.conf",
    });
    out.push("io_threads_active:0".to_owned());
    out
}

fn clients(call: &Call<'_>) -> Vec<String> {
    let connected = call.server.connected(call.now);
    let mut out = vec![format!("connected_clients:{connected}")];
    if call.server.persona.seven {
        out.extend(lines! {
            "cluster_connections" => 0,
            "maxclients" => call.server.setting("maxclients"),
            "client_recent_max_input_buffer" => 20_480,
            "client_recent_max_output_buffer" => 0,
        });
    } else {
        out.extend(lines! {
            "client_recent_max_input_buffer" => 16,
            "client_recent_max_output_buffer" => 0,
        });
    }
    out.extend(lines! {
        "blocked_clients" => 0,
        "tracking_clients" => 0,
        "clients_in_timeout_table" => 0,
    });
    out
}

fn persistence(call: &Call<'_>) -> Vec<String> {
    let kept = &call.server.kept;
    let seven = call.server.persona.seven;
    let dirty = call.server.keys.changes().saturating_sub(kept.saved_changes);
    let mut out = lines! { "loading" => 0 };
    if seven {
        out.extend(lines! {
            "async_loading" => 0,
            "current_cow_peak" => 0,
            "current_cow_size" => 0,
            "current_cow_size_age" => 0,
            "current_fork_perc" => "0.00",
            "current_save_keys_processed" => 0,
            "current_save_keys_total" => 0,
        });
    }
    out.extend(lines! {
        "rdb_changes_since_last_save" => dirty,
        "rdb_bgsave_in_progress" => 0,
        "rdb_last_save_time" => kept.last_save,
        "rdb_last_bgsave_status" => "ok",
        "rdb_last_bgsave_time_sec" => 0,
        "rdb_current_bgsave_time_sec" => -1,
    });
    if seven {
        out.push(format!("rdb_saves:{}", kept.saves + call.server.persona.uptime(call.now) / 3600));
    }
    out.push("rdb_last_cow_size:348160".to_owned());
    if seven {
        out.extend(lines! { "rdb_last_load_keys_expired" => 0, "rdb_last_load_keys_loaded" => 0 });
    }
    out.extend(lines! {
        "aof_enabled" => u8::from(call.server.setting("appendonly") == "yes"),
        "aof_rewrite_in_progress" => 0,
        "aof_rewrite_scheduled" => 0,
        "aof_last_rewrite_time_sec" => -1,
        "aof_current_rewrite_time_sec" => -1,
        "aof_last_bgrewrite_status" => "ok",
    });
    if seven {
        out.extend(lines! { "aof_rewrites" => 0, "aof_rewrites_consecutive_failures" => 0 });
    }
    out.extend(lines! {
        "aof_last_write_status" => "ok",
        "aof_last_cow_size" => 0,
        "module_fork_in_progress" => 0,
        "module_fork_last_cow_size" => 0,
    });
    out
}

fn stats(call: &Call<'_>) -> Vec<String> {
    let server = &*call.server;
    let (counts, persona) = (&server.counts, &server.persona);
    let seven = persona.seven;
    let own = persona.commands(call.now);
    let connections = persona.connections(call.now) + counts.connections;
    let commands = own + counts.commands;
    let rate = persona.rate();
    let failed: u64 = counts.errors.values().sum();
    let mut out = lines! {
        "total_connections_received" => connections,
        "total_commands_processed" => commands,
        "instantaneous_ops_per_sec" => rate,
        "total_net_input_bytes" => own * 47 + counts.received,
        "total_net_output_bytes" => own * 83 + counts.sent,
    };
    if seven {
        out.extend(
            lines! { "total_net_repl_input_bytes" => 0, "total_net_repl_output_bytes" => 0 },
        );
    }
    out.extend(lines! {
        "instantaneous_input_kbps" => ratio(rate * 47, 1024),
        "instantaneous_output_kbps" => ratio(rate * 83, 1024),
    });
    if seven {
        out.extend(lines! { "instantaneous_input_repl_kbps" => "0.00", "instantaneous_output_repl_kbps" => "0.00" });
    }
    out.extend(lines! {
        "rejected_connections" => 0,
        "sync_full" => 0,
        "sync_partial_ok" => 0,
        "sync_partial_err" => 0,
        "expired_keys" => counts.expired + own / 97,
        "expired_stale_perc" => "0.00",
        "expired_time_cap_reached_count" => 0,
        "expire_cycle_cpu_milliseconds" => persona.uptime(call.now) / 40,
        "evicted_keys" => 0,
    });
    if seven {
        out.extend(lines! { "evicted_clients" => 0, "total_eviction_exceeded_time" => 0, "current_eviction_exceeded_time" => 0 });
    }
    out.extend(lines! {
        "keyspace_hits" => own / 2 + counts.hits,
        "keyspace_misses" => own / 31 + counts.misses,
        "pubsub_channels" => server.heard.values().filter(|pattern| !**pattern).count(),
        "pubsub_patterns" => server.heard.values().filter(|pattern| **pattern).count(),
    });
    if seven {
        out.push("pubsubshard_channels:0".to_owned());
    }
    out.push(format!("latest_fork_usec:{}", 180 + u64::from(persona.pid) % 400));
    if seven {
        out.push(format!("total_forks:{}", server.kept.saves + persona.uptime(call.now) / 3600));
    }
    out.extend(lines! {
        "migrate_cached_sockets" => 0,
        "slave_expires_tracked_keys" => 0,
        "active_defrag_hits" => 0,
        "active_defrag_misses" => 0,
        "active_defrag_key_hits" => 0,
        "active_defrag_key_misses" => 0,
    });
    if seven {
        out.extend(lines! { "total_active_defrag_time" => 0, "current_active_defrag_time" => 0 });
    }
    out.extend(lines! { "tracking_total_keys" => 0, "tracking_total_items" => 0, "tracking_total_prefixes" => 0, "unexpected_error_replies" => 0 });
    if seven {
        out.extend(lines! { "total_error_replies" => failed, "dump_payload_sanitizations" => 0 });
    }
    out.extend(lines! {
        "total_reads_processed" => own + counts.reads,
        "total_writes_processed" => own + counts.reads.saturating_sub(1),
        "io_threaded_reads_processed" => 0,
        "io_threaded_writes_processed" => 0,
    });
    if seven {
        out.extend(lines! { "reply_buffer_shrinks" => connections * 2, "reply_buffer_expands" => connections });
    }
    out
}

fn replication(call: &Call<'_>) -> Vec<String> {
    let seven = call.server.persona.seven;
    let mut out = Vec::new();
    match &call.server.kept.master {
        None => out.push("role:master".to_owned()),
        Some((host, port)) => {
            out.extend(lines! {
                "role" => "slave",
                "master_host" => host,
                "master_port" => port,
                "master_link_status" => "down",
                "master_last_io_seconds_ago" => -1,
                "master_sync_in_progress" => 0,
            });
            if seven {
                out.extend(lines! { "slave_read_repl_offset" => 0 });
            }
            out.extend(lines! {
                "slave_repl_offset" => 0,
                "master_link_down_since_seconds" => -1,
                "slave_priority" => 100,
                "slave_read_only" => 1,
            });
            if seven {
                out.push("replica_announced:1".to_owned());
            }
        }
    }
    out.push("connected_slaves:0".to_owned());
    if seven {
        out.push("master_failover_state:no-failover".to_owned());
    }
    out.extend(lines! {
        "master_replid" => call.server.persona.replication_id,
        "master_replid2" => "0".repeat(40),
        "master_repl_offset" => 0,
        "second_repl_offset" => -1,
        "repl_backlog_active" => 0,
        "repl_backlog_size" => 1_048_576,
        "repl_backlog_first_byte_offset" => 0,
        "repl_backlog_histlen" => 0,
    });
    out
}

fn cpu(call: &Call<'_>) -> Vec<String> {
    let up = call.server.persona.uptime(call.now);
    let drift = u64::try_from(call.now.micros().rem_euclid(1_000_000)).unwrap_or(0);
    let time = |per_mille: u64, at: u64| {
        let micros = up * per_mille * 1000 + drift * per_mille / 1000 + at;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    };
    let mut out = lines! {
        "used_cpu_sys" => time(2, 4075),
        "used_cpu_user" => time(3, 1381),
        "used_cpu_sys_children" => format!("0.{:06}", 2113 + up / 3600 * 37 % 900_000),
        "used_cpu_user_children" => format!("0.{:06}", 1024 + up / 3600 * 21 % 900_000),
    };
    if call.server.persona.seven {
        out.extend(lines! { "used_cpu_sys_main_thread" => time(2, 3995), "used_cpu_user_main_thread" => time(3, 1290) });
    }
    out
}

fn commands(server: &Server) -> Vec<String> {
    server
        .counts
        .by_command
        .iter()
        .map(|(name, [calls, rejected, failed])| {
            let micros = calls * 3 + calls / 2;
            let head = format!(
                "cmdstat_{name}:calls={calls},usec={micros},usec_per_call={}",
                ratio(micros, (*calls).max(1))
            );
            if server.persona.seven {
                format!("{head},rejected_calls={rejected},failed_calls={failed}")
            } else {
                head
            }
        })
        .collect()
}

fn errors(server: &Server) -> Vec<String> {
    let line = |(code, count): (&String, &u64)| format!("errorstat_{code}:count={count}");
    server.counts.errors.iter().map(line).collect()
}

fn keyspace(call: &Call<'_>) -> Vec<String> {
    let now = call.ms();
    let mut out = Vec::new();
    for db in 0..DATABASES {
        let live: Vec<i64> = call
            .server
            .keys
            .database(db)
            .values()
            .filter_map(|entry| match entry.expires {
                None => Some(0),
                Some(at) if at > now => Some(at - now),
                Some(_) => None,
            })
            .collect();
        let timed: Vec<i64> = live.iter().copied().filter(|left| *left > 0).collect();
        let mean = timed.iter().sum::<i64>() / i64::try_from(timed.len().max(1)).unwrap_or(1);
        if !live.is_empty() {
            out.push(format!("db{db}:keys={},expires={},avg_ttl={mean}", live.len(), timed.len()));
        }
    }
    out
}

impl Counts {
    /// What `CONFIG RESETSTAT` forgets.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}
