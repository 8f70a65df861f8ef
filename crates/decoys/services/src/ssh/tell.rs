//! Turns what a client says of itself into facts.

use base_model::catalogue::{self, KexInit};
use decoys_kit::ssh::{ClientLists, SshContext};
use md5::{Digest as _, Md5};

/// Tells what algorithms the client has, with its HASSH: the MD5 of those lists that tell clients
/// apart (`spec/fingerprints.md` §3).
pub(super) fn lists(cx: &mut SshContext<'_>, lists: &ClientLists) {
    let [cipher, _] = &lists.ciphers;
    let [mac, _] = &lists.macs;
    let [compression, _] = &lists.compressions;
    let algorithms = [lists.kex.as_str(), cipher, mac, compression].join(";");
    let hash = Md5::digest(algorithms.as_bytes());
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let [language, _] = &lists.languages;
    let has = |marker: &str| lists.kex.split(',').any(|name| name == marker);
    cx.emit(catalogue::ssh_client_kexinit(&KexInit {
        hassh: &hash,
        algorithms: &algorithms,
        host_keys: &lists.host_keys,
        languages: language,
        first_kex_follows: lists.guesses,
        ext_info: has("ext-info-c"),
        strict: has("kex-strict-c-v00@openssh.com"),
    }));
}
