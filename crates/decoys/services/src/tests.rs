//! What every service must hold to.

use decoys_host::HostHandle;
use decoys_kit::{Open, conformance, transcript};

use crate::{ALL, Service, template};

/// Golden dialogues of a service: the files of its `transcripts` folder.
fn dialogues(name: &str) -> Vec<(std::path::PathBuf, String)> {
    let folder =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(name).join("transcripts");
    let mut out: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ext| ext == "txt"))
        .map(|path| (path.clone(), std::fs::read_to_string(path).unwrap()))
        .collect();
    out.sort();
    out
}

fn host() -> HostHandle {
    decoys_host::testing::host(1, "debian")
}

/// A service with its port and settings.
pub(crate) type Installed<'s> = (&'s str, u16, &'s [(&'s str, &'s str)]);

/// A machine with `services`.
pub(crate) fn machine(seed: u8, distro: &str, services: &[Installed<'_>]) -> HostHandle {
    let mut decky = decoys_host::testing::decky(seed, distro);
    for (name, number, settings) in services {
        decky.services.push(base_model::DeckyService {
            name: (*name).to_owned(),
            settings: settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect(),
            transport: base_model::Transport::Tcp,
            ports: vec![base_model::Port { number: *number, reached_at: *number }],
        });
    }
    HostHandle::new(decky, None)
}

fn stream_services() -> impl Iterator<Item = &'static Service> {
    let template: &'static Service = &template::SERVICE;
    ALL.iter().copied().chain([template]).filter(|service| matches!(service.open, Open::Stream(_)))
}

#[test]
fn golden_dialogues_pass() {
    let update = std::env::var_os("UPDATE").is_some();
    for service in stream_services() {
        for (path, text) in dialogues(service.spec.name) {
            let played = transcript::play(service, host(), &text).unwrap();
            if update {
                std::fs::write(&path, &played).unwrap();
            } else {
                assert_eq!(played, text, "{}", path.display());
            }
        }
    }
}

#[test]
fn stream_services_conform() {
    let conforms = |service: &'static Service| {
        let texts = dialogues(service.spec.name);
        let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        conformance::check(service, host, &texts).unwrap();
    };
    // Side by side: making all the machines takes a while.
    std::thread::scope(|scope| {
        for service in stream_services() {
            scope.spawn(move || conforms(service));
        }
    });
}

#[test]
fn the_registry_is_sorted_and_names_are_legal() {
    let names: Vec<_> = ALL.iter().map(|service| service.spec.name).collect();
    assert!(names.is_sorted());
    for service in ALL {
        let name = service.spec.name;
        assert!(
            name.len() <= 16
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        );
        assert!(!service.spec.events.is_empty() && !service.spec.listens.is_empty());
        assert_eq!(crate::find(name).map(|found| found.spec.name), Some(name));
    }
}
