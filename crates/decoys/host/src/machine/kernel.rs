//! Files and devices that the kernel makes when they are read.

use base_model::Timestamp;
use rand_core::Rng;

use super::Machine;
use crate::fs::{Content, Device, Ino, Kind, Live};

impl Machine {
    /// At most `length` bytes of `ino` from `offset`, kernel files and devices included.
    pub fn read(&mut self, ino: Ino, offset: u64, length: usize, now: Timestamp) -> Vec<u8> {
        match self.fs.node(ino).map(|node| node.kind.clone()) {
            Some(Kind::File(Content::Live(live))) => {
                let text = self.live(live, now).into_bytes();
                let from = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
                let to = from.saturating_add(length).min(text.len());
                text.get(from..to).unwrap_or_default().to_vec()
            }
            Some(Kind::Device(device)) => self.read_device(device, length),
            _ => self.fs.read(ino, offset, length),
        }
    }

    /// At most `length` bytes of `device`.
    pub fn read_device(&mut self, device: Device, length: usize) -> Vec<u8> {
        let mut bytes = match device {
            Device::Zero | Device::Full | Device::Random => vec![0; length.min(65_536)],
            Device::Null | Device::Tty => Vec::new(),
        };
        if device == Device::Random {
            self.random.fill_bytes(&mut bytes);
        }
        bytes
    }

    fn live(&self, live: Live, now: Timestamp) -> String {
        let facts = &self.facts;
        let up = now.seconds() - facts.boot_time;
        let hundredths = now.micros().rem_euclid(1_000_000) / 10_000;
        match live {
            Live::Uptime => {
                let idle = up * i64::from(facts.cores) * 97 / 100;
                format!("{up}.{hundredths:02} {idle}.{hundredths:02}\n")
            }
            Live::LoadAverage => {
                let tasks = self.processes(now).len();
                format!(
                    "{} 1/{tasks} {}\n",
                    self.load(now).join(" "),
                    self.next_pid.saturating_sub(1)
                )
            }
            Live::MemInfo => {
                let memory = self.memory(now);
                format!(
                    "MemTotal:       {:>8} kB\nMemFree:        {:>8} kB\nMemAvailable:   {:>8} kB\n\
                     Buffers:        {:>8} kB\nCached:         {:>8} kB\nSwapCached:            0 kB\n\
                     SwapTotal:      {:>8} kB\nSwapFree:       {:>8} kB\n",
                    memory.total,
                    memory.free,
                    memory.available,
                    memory.cached / 12,
                    memory.cached - memory.cached / 12,
                    facts.swap_kb,
                    facts.swap_kb,
                )
            }
            Live::CpuInfo => facts.cpuinfo(),
            Live::Version => format!(
                "Linux version {} {} {}\n",
                facts.release.kernel, facts.release.compiler, facts.release.build
            ),
            Live::Mounts => format!(
                "sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n\
                 proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n\
                 {4} /dev devtmpfs rw,nosuid,relatime,size={0}k,nr_inodes={1},mode=755,inode64 0 0\n\
                 devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000 0 0\n\
                 tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,size={2}k,mode=755,inode64 0 0\n\
                 /dev/{3}1 / {5} {6} 0 0\n\
                 tmpfs /dev/shm tmpfs rw,nosuid,nodev,inode64 0 0\n",
                facts.memory_kb / 2 - 20_000,
                (facts.memory_kb / 2 - 20_000) / 4,
                facts.memory_kb / 10,
                facts.disk,
                facts.distro.family().root_fs.devices,
                facts.distro.family().root_fs.kind,
                facts.distro.family().root_fs.options,
            ),
            Live::Stat => format!(
                "cpu  {0} 0 {1} {2} 0 0 0 0 0 0\nbtime {3}\nprocesses {4}\nprocs_running 1\nprocs_blocked 0\n",
                up * 2,
                up,
                up * 97 * i64::from(facts.cores),
                facts.boot_time,
                self.next_pid,
            ),
            Live::CommandLine => format!(
                "BOOT_IMAGE=/boot/vmlinuz-{} root=UUID={} ro quiet\n",
                facts.release.kernel,
                facts.values.get("root_uuid").map_or("", String::as_str)
            ),
            Live::HostName => format!("{}\n", facts.hostname),
            Live::FileSystems => format!(
                "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\n\t{}\n",
                facts.distro.family().root_fs.kind
            ),
        }
    }
}
