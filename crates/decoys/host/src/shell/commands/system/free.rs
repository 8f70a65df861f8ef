//! `free`.

use crate::shell::commands::options::{Accepts, read};
use crate::shell::proc::{Outcome, Proc};

pub(in crate::shell::commands) async fn run(proc: &mut Proc) -> Outcome {
    let accepts = Accepts::new("bkmghtw", &[("human", b'h'), ("mega", b'm'), ("giga", b'g')]);
    let options = read(proc, &accepts).await?;
    let now = proc.io.now();
    let (memory, swap) = proc.host.with(|machine| (machine.memory(now), machine.facts().swap_kb));
    let unit = options.last_of(b"bkmgh").unwrap_or(b'k');
    let show = |kb: u64| match unit {
        b'b' => (kb * 1024).to_string(),
        b'm' => (kb / 1024).to_string(),
        b'g' => (kb / 1_048_576).to_string(),
        b'h' => human(kb),
        _ => kb.to_string(),
    };
    let used = memory.total - memory.free - memory.cached;
    let row = |name: &str, values: &[u64]| {
        let mut line = format!("{name:<9}");
        for value in values {
            line.push_str(&format!("{:>12}", show(*value)));
        }
        line.push('\n');
        line
    };
    let mut out = String::from(
        "               total        used        free      shared  buff/cache   available\n",
    );
    out.push_str(&row(
        "Mem:",
        &[memory.total, used, memory.free, memory.cached / 200, memory.cached, memory.available],
    ));
    out.push_str(&row("Swap:", &[swap, 0, swap]));
    proc.out(out).await?;
    Ok(0)
}

fn human(kb: u64) -> String {
    let bytes = kb * 1024;
    for (unit, size) in [("Ti", 1_u64 << 40), ("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
        if bytes >= size {
            let tenths = bytes * 10 / size;
            return if tenths < 100 {
                format!("{}.{}{unit}", tenths / 10, tenths % 10)
            } else {
                format!("{}{unit}", tenths / 10)
            };
        }
    }
    format!("{bytes}B")
}
