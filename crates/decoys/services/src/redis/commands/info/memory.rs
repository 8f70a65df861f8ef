//! Memory, as `INFO` and `MEMORY STATS` tell it.

use crate::redis::commands::{Call, Reply};

/// Bytes the server takes with nothing in it.
const STARTUP: u64 = 876_112;
/// Bytes that each connection takes.
const PER_CLIENT: u64 = 22_272;

/// Bytes in use.
pub(in crate::redis::commands) fn used_memory(call: &Call<'_>) -> u64 {
    let clients = u64::try_from(call.server.connected(call.now)).unwrap_or(0);
    STARTUP + clients * PER_CLIENT + call.server.keys.used() as u64
}

fn human(bytes: u64) -> String {
    let units = [(1_u64 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    for (unit, letter) in units {
        if bytes >= unit {
            let hundredths = bytes.saturating_mul(100) / unit;
            return format!("{}.{:02}{letter}", hundredths / 100, hundredths % 100);
        }
    }
    format!("{bytes}B")
}

/// `a / b` with two decimals.
pub(super) fn ratio(a: u64, b: u64) -> String {
    let hundredths = a.saturating_mul(100) / b.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn percent(a: u64, b: u64) -> String {
    let hundredths = a.saturating_mul(10_000) / b.max(1);
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

pub(super) fn memory(call: &Call<'_>) -> Vec<String> {
    let persona = &call.server.persona;
    let used = used_memory(call);
    let clients = u64::try_from(call.server.connected(call.now)).unwrap_or(0) * PER_CLIENT;
    let overhead = STARTUP + clients + 200;
    let dataset = used.saturating_sub(overhead).max(1);
    let peak = used + 61_440 + u64::from(persona.pid) * 16;
    let resident = persona.resident.max(used + used / 3);
    let (allocated, active) = (used + 700_000, used + 860_000);
    let in_allocator = active + 2_700_000;
    let total = persona.memory_kb * 1024;
    let limit: u64 = call.server.setting("maxmemory").parse().unwrap_or(0);
    let mut out = lines! {
        "used_memory" => used,
        "used_memory_human" => human(used),
        "used_memory_rss" => resident,
        "used_memory_rss_human" => human(resident),
        "used_memory_peak" => peak,
        "used_memory_peak_human" => human(peak),
        "used_memory_peak_perc" => percent(used, peak),
        "used_memory_overhead" => overhead,
        "used_memory_startup" => STARTUP,
        "used_memory_dataset" => dataset,
        "used_memory_dataset_perc" => percent(dataset, used - STARTUP + 1),
        "allocator_allocated" => allocated,
        "allocator_active" => active,
        "allocator_resident" => in_allocator,
        "total_system_memory" => total,
        "total_system_memory_human" => human(total),
    };
    if persona.seven {
        out.extend(lines! {
            "used_memory_lua" => 31_744,
            "used_memory_vm_eval" => 31_744,
            "used_memory_lua_human" => "31.00K",
            "used_memory_scripts_eval" => 0,
            "number_of_cached_scripts" => 0,
            "number_of_functions" => 0,
            "number_of_libraries" => 0,
            "used_memory_vm_functions" => 33_792,
            "used_memory_vm_total" => 65_536,
            "used_memory_vm_total_human" => "64.00K",
            "used_memory_functions" => 200,
            "used_memory_scripts" => 200,
            "used_memory_scripts_human" => "200B",
        });
    } else {
        out.extend(lines! {
            "used_memory_lua" => 37_888,
            "used_memory_lua_human" => "37.00K",
            "used_memory_scripts" => 0,
            "used_memory_scripts_human" => "0B",
            "number_of_cached_scripts" => 0,
        });
    }
    out.extend(lines! {
        "maxmemory" => limit,
        "maxmemory_human" => human(limit),
        "maxmemory_policy" => call.server.setting("maxmemory-policy"),
        "allocator_frag_ratio" => ratio(active, allocated),
        "allocator_frag_bytes" => active - allocated,
        "allocator_rss_ratio" => ratio(in_allocator, active),
        "allocator_rss_bytes" => in_allocator - active,
        "rss_overhead_ratio" => ratio(resident, in_allocator),
        "rss_overhead_bytes" => i128::from(resident) - i128::from(in_allocator),
        "mem_fragmentation_ratio" => ratio(resident, used),
        "mem_fragmentation_bytes" => resident.saturating_sub(used),
        "mem_not_counted_for_evict" => 0,
        "mem_replication_backlog" => 0,
    });
    if persona.seven {
        out.push("mem_total_replication_buffers:0".to_owned());
    }
    out.extend(lines! { "mem_clients_slaves" => 0, "mem_clients_normal" => clients });
    if persona.seven {
        out.push("mem_cluster_links:0".to_owned());
    }
    out.extend(lines! {
        "mem_aof_buffer" => 0,
        "mem_allocator" => persona.allocator,
        "active_defrag_running" => 0,
        "lazyfree_pending_objects" => 0,
    });
    if persona.seven {
        out.push("lazyfreed_objects:0".to_owned());
    }
    out
}

/// `MEMORY STATS`, the figures of `INFO memory` under other names.
pub(in crate::redis::commands) fn memory_stats(call: &Call<'_>) -> Reply {
    let used = i64::try_from(used_memory(call)).unwrap_or(0);
    let clients = i64::try_from(call.server.connected(call.now)).unwrap_or(0) * 22_272;
    let startup = i64::try_from(STARTUP).unwrap_or(0);
    let keys = call.server.keys.len();
    let figures: Vec<(&str, i64)> = vec![
        ("peak.allocated", used + 61_440 + i64::from(call.server.persona.pid) * 16),
        ("total.allocated", used),
        ("startup.allocated", startup),
        ("replication.backlog", 0),
        ("clients.slaves", 0),
        ("clients.normal", clients),
        ("aof.buffer", 0),
        ("overhead.total", startup + clients + 200),
        ("keys.count", i64::try_from(keys).unwrap_or(0)),
        ("dataset.bytes", used - startup - clients),
    ];
    Reply::Map(
        figures.into_iter().map(|(key, value)| (Reply::text(key), Reply::Int(value))).collect(),
    )
}
