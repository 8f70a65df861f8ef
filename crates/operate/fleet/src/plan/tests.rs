//! What is planned, and every message about it.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::ini::{Source, read};
use crate::testing::{NOW, catalogue, fleet, network, secrets};
use crate::{Flags, from_flags};

/// What a test asks for, beside the usual.
struct Ask<'a> {
    mode: Mode,
    existing: &'a [Decky],
    network: Network,
    limit: Option<usize>,
    first_secret: u32,
}

fn ask(existing: &[Decky]) -> Ask<'_> {
    let network = network("10.0.0.0/16");
    Ask { mode: Mode::Add, existing, network, limit: None, first_secret: 1000 }
}

impl Ask<'_> {
    fn plan(&self, wishes: &[Wish<'_>], catalogue: &Catalogue) -> Result<Plan, Problems> {
        let request = Request {
            wishes,
            mode: self.mode,
            existing: self.existing,
            network: &self.network,
            domain: Some("corp.example"),
            catalogue,
            limit: self.limit,
            now: NOW,
        };
        plan(&request, secrets(self.first_secret))
    }

    fn file(&self, text: &str) -> Result<Plan, Problems> {
        let catalogue = catalogue();
        let (file, _) = read(text, Source::File, &catalogue).unwrap();
        self.plan(&file.wishes, &catalogue)
    }

    fn flags(&self, flags: &Flags<'_>) -> Result<Plan, Problems> {
        let catalogue = catalogue();
        let taken: Vec<_> = self.existing.iter().map(|decky| decky.name.clone()).collect();
        self.plan(&from_flags(flags, &taken, &catalogue)?, &catalogue)
    }

    fn refused(&self, text: &str) -> Vec<String> {
        let problems = self.file(text).unwrap_err();
        problems.all().iter().map(|problem| problem.text.clone()).collect()
    }
}

fn names(deckies: &[Decky]) -> Vec<&str> {
    deckies.iter().map(|decky| decky.name.as_str()).collect()
}

#[test]
fn two_deckies_share_no_drawn_value_and_alike_secrets_draw_alike() {
    let deckies = fleet(400);
    assert_eq!(deckies, fleet(400));
    let distinct = |field: &str, values: BTreeSet<String>, count: usize| {
        assert_eq!(values.len(), count, "{field} repeats");
    };
    distinct("id", deckies.iter().map(|it| it.id.to_string()).collect(), 400);
    distinct("hostname", deckies.iter().map(|it| it.hostname.clone()).collect(), 400);
    distinct("mac", deckies.iter().map(|it| it.mac.unwrap().to_string()).collect(), 400);
    distinct("boot time", deckies.iter().map(|it| it.boot_time.to_string()).collect(), 400);
    distinct("ip", deckies.iter().map(|it| it.ip.to_string()).collect(), 400);
    // Names of accounts are those that machines have; their passwords are drawn.
    let passwords = deckies.iter().flat_map(|it| &it.accounts).map(|it| it.password.clone());
    distinct("password", passwords.collect(), 800);
    let vendors: BTreeSet<_> = deckies.iter().map(|it| it.mac_vendor.clone()).collect();
    assert_eq!(vendors.len(), 1, "one hypervisor per deployment");
    let distros: BTreeSet<_> = deckies.iter().map(|it| it.distro.clone()).collect();
    assert!(distros.len() >= 2, "taken in turn");
}

#[test]
fn a_machine_is_named_for_what_it_is() {
    let plan = ask(&[]).file("[a]\narchetype=database-server\namount=20\n").unwrap();
    for decky in &plan.add {
        let name = decky.hostname.to_lowercase();
        assert!(["db", "sql", "data", "dbsrv"].iter().any(|role| name.contains(role)), "{name}");
        assert!(["dba", "dbadmin", "backup1", "svc"].contains(&&*decky.accounts[1].username));
        assert_eq!((decky.archetype.as_str(), decky.os.as_str()), ("database-server", "linux"));
    }
}

#[test]
fn a_fleet_grows_without_touching_what_is_there() {
    let first = fleet(3);
    let services = ["ssh".to_owned()];
    let flags = Flags { count: 2, services: Some(&services), ..Flags::default() };
    let plan = ask(&first).flags(&flags).unwrap();
    assert_eq!(names(&plan.add), ["decky-04", "decky-05"]);
    assert_eq!(plan.keep, first);
    let fleet = plan.fleet();
    assert_eq!(names(&fleet), ["decky-01", "decky-02", "decky-03", "decky-04", "decky-05"]);
}

#[test]
fn flags_must_say_what_the_deckies_run() {
    let refuse = |flags: &Flags<'_>| ask(&[]).flags(flags).unwrap_err().to_string();
    assert_eq!(
        refuse(&Flags { count: 1, ..Flags::default() }),
        "Specify --services, --archetype, or --randomize-services."
    );
    let (services, distros) = (["shh".to_owned()], ["debain".to_owned()]);
    let all = refuse(&Flags {
        count: 1,
        services: Some(&services),
        archetype: Some("linux-sever"),
        distros: Some(&distros),
        ..Flags::default()
    });
    assert_eq!(all.lines().count(), 3, "{all}");
    let flags = Flags { count: 4, archetype: Some("web-server"), ..Flags::default() };
    let plan = ask(&[]).flags(&flags).unwrap();
    let run: Vec<_> = plan.add[0].services.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(run, ["ftp", "http"]);
    let distros = ["ubuntu22".to_owned()];
    let flags = Flags { distros: Some(&distros), ..flags };
    assert!(ask(&[]).flags(&flags).unwrap().add.iter().all(|it| it.distro == "ubuntu22"));
    let flags = Flags { count: 30, distros: None, randomize_distros: true, ..flags };
    let plan = ask(&[]).flags(&flags).unwrap();
    assert!(plan.add.iter().map(|it| &it.distro).collect::<BTreeSet<_>>().len() > 1);
}

#[test]
fn drawn_services_are_one_to_three_and_differ_while_they_can() {
    let flags = Flags { count: 14, randomize_services: true, ..Flags::default() };
    let plan = ask(&[]).flags(&flags).unwrap();
    let sets: Vec<Vec<&str>> = plan
        .add
        .iter()
        .map(|decky| decky.services.iter().map(|service| service.name.as_str()).collect())
        .collect();
    assert!(sets.iter().all(|set| (1..=3).contains(&set.len())), "{sets:?}");
    // Four services make fourteen sets of one to three.
    assert!(sets.iter().collect::<BTreeSet<_>>().len() >= 11, "{sets:?}");
}

#[test]
fn a_decky_that_asks_for_nothing_gets_drawn_services_and_a_warning() {
    let plan = ask(&[]).file("[web]\n").unwrap();
    assert!(!plan.add[0].services.is_empty());
    let text = &plan.warnings[0].text;
    assert!(text.starts_with("[web] gives neither services nor archetype; drawn: "), "{text}");
}

#[test]
fn addresses_asked_for_come_first_and_the_rest_in_order() {
    let mut asking = ask(&[]);
    asking.network = network("10.0.0.0/29");
    asking.network.gateway = Some([10, 0, 0, 1].into());
    let plan =
        asking.file("[a]\nservices=ssh\namount=2\n[b]\nservices=ssh\nip=10.0.0.2\n").unwrap();
    let of = |name: &str| plan.add.iter().find(|it| it.name == name).unwrap().ip.to_string();
    assert_eq!(
        (of("a-01"), of("a-02"), of("b")),
        ("10.0.0.3".into(), "10.0.0.4".into(), "10.0.0.2".into())
    );
    assert_eq!(
        asking.refused("[a]\nservices=ssh\nip=10.0.0.2\n[b]\nservices=ssh\nip=10.0.0.2\n"),
        ["[b] ip=10.0.0.2 is already the address of decky 'a'"]
    );
    assert_eq!(
        asking.refused("[a]\nservices=ssh\nip=10.0.0.1\n"),
        ["[a] ip=10.0.0.1 is the gateway's address"]
    );
}

#[test]
fn a_network_that_is_full_says_how_many_fit() {
    let mut asking = ask(&[]);
    asking.network = network("10.0.0.0/30");
    assert_eq!(
        asking.refused("[a]\nservices=ssh\namount=3\n"),
        ["Not enough free IPs in 10.0.0.0/30 for decky 'a-03' (found 2)."]
    );
    let services = ["ssh".to_owned()];
    let flags = Flags { count: 5, services: Some(&services), ..Flags::default() };
    assert_eq!(
        asking.flags(&flags).unwrap_err().to_string(),
        "Not enough free IPs in 10.0.0.0/30 for 5 deckies (found 2)."
    );
}

#[test]
fn more_deckies_than_the_limit_are_refused() {
    let first = fleet(3);
    let mut asking = ask(&first);
    asking.limit = Some(4);
    let two = "[a]\nservices=ssh\namount=2\n";
    assert_eq!(
        asking.refused(two),
        ["Deployment would result in 5 deckies, exceeding the configured limit of 4"]
    );
    asking.mode = Mode::Replace;
    assert!(asking.file(two).is_ok());
}

#[test]
fn a_name_or_address_that_is_taken_is_refused() {
    let first = fleet(1);
    let asking = ask(&first);
    assert_eq!(
        asking.refused("[decky-01]\nservices=ssh\n"),
        ["decky 'decky-01' already exists; submit with replace_fleet=true to overwrite the fleet"]
    );
    let mut asking = ask(&first);
    asking.network = network("127.0.0.0/8");
    let (ip, host, mac) = (first[0].ip, &first[0].hostname, first[0].mac.unwrap());
    assert_eq!(
        asking.refused(&format!("[a]\nservices=ssh\nip={ip}\nhostname={host}\nmac={mac}\n")),
        [
            format!("[a] ip={ip} is already the address of decky 'decky-01'"),
            format!("[a] hostname={host} is already that of decky 'decky-01'"),
            format!("[a] mac={mac} is already that of decky 'decky-01'"),
        ]
    );
}

#[test]
fn the_same_file_again_changes_nothing() {
    let text = "[a]\nservices=ssh,http\namount=3\n[b]\n[c]\narchetype=web-server\n\
                ip=10.0.3.3\nusers=bob:x\n[a.http]\ncustom_body=hi\n";
    let first = ask(&[]).file(text).unwrap().fleet();
    for mode in [Mode::Ensure, Mode::Replace] {
        let mut asking = ask(&first);
        asking.mode = mode;
        asking.first_secret = 9000;
        let plan = asking.file(text).unwrap();
        assert_eq!((plan.add.len(), plan.change.len(), plan.remove.len()), (0, 0, 0));
        assert_eq!(plan.fleet(), first, "{mode:?}");
    }
    let mut asking = ask(&first);
    asking.mode = Mode::Ensure;
    assert_eq!(
        asking.refused("[a]\nservices=ssh\namount=1\n[c]\nservices=ssh\nnmap_os=embedded\n"),
        ["decky 'c' already exists and has another ip, archetype, nmap_os, users, services"]
            .map(|text| text.replace("ip, archetype", "archetype").replace("users, ", ""))
    );
}

#[test]
fn replacing_keeps_what_is_named_and_removes_the_rest() {
    let first = ask(&[]).file("[a]\nservices=ssh\n[b]\nservices=ssh\n").unwrap().fleet();
    let mut asking = ask(&first);
    asking.mode = Mode::Replace;
    let plan = asking.file("[b]\nservices=http\n[c]\nservices=ssh\n").unwrap();
    assert_eq!((names(&plan.add), names(&plan.remove)), (vec!["c"], vec!["a"]));
    let Change { before, after } = &plan.change[0];
    assert_eq!(after.services[0].name, "http");
    let same = Decky { services: before.services.clone(), ..after.clone() };
    assert_eq!(&same, before, "secret, id, address, names and logins stay");
    assert_eq!(plan.add[0].ip, first[0].ip, "the address of what goes is free");
}

#[test]
fn what_cannot_be_is_refused_once_per_group() {
    assert_eq!(
        ask(&[]).refused("[w]\nservices=http\nnmap_os=windows\namount=9\ndistro=debian\n"),
        ["[w-01] Debian 12 (Bookworm) is a Linux distribution and cannot look like windows; \
             choose nmap_os linux or embedded"]
    );
}

#[test]
fn settings_win_and_what_they_contradict_is_told() {
    let plan = ask(&[])
        .file(
            "[w]\nservices=http\ndistro=debian\n[w.http]\nserver_header=Apache/2.4.6 (CentOS)\n\
             [w.ssh]\npassword=x\n",
        )
        .unwrap();
    assert_eq!(plan.add[0].services[0].settings["server_header"], "Apache/2.4.6 (CentOS)");
    assert_eq!(
        plan.contradictions[0].to_string(),
        "[w] http.server_header: names CentOS, the decky is Debian 12 (Bookworm)"
    );
    assert_eq!(plan.warnings[0].text, "[w] does not run ssh; settings for it do nothing");
}

#[test]
fn every_archetype_deploys_without_contradiction() {
    let catalogue = catalogue();
    for offer in catalogue.archetypes() {
        let slug = offer.archetype.slug.as_str();
        let flags = Flags { count: 4, archetype: Some(slug), ..Flags::default() };
        let plan = ask(&[]).flags(&flags).unwrap();
        assert_eq!((plan.contradictions, plan.warnings), (vec![], vec![]), "{slug}");
        assert!(plan.add.iter().all(|decky| decky.archetype == slug));
    }
}

proptest! {
    #[test]
    fn every_decky_is_in_one_list_and_nothing_is_shared(
        kept in 0_usize..8,
        wished in prop::collection::vec((0_usize..10, 1_usize..4), 1..6),
        replace in any::<bool>(),
    ) {
        let existing = fleet(kept);
        let text: String = wished
            .iter()
            .enumerate()
            .map(|(at, (name, amount))| match amount {
                1 => format!("[decky-{name:02}{at}]\nservices=ssh\n"),
                _ => format!("[g{at}]\nservices=ssh,http\namount={amount}\n"),
            })
            .collect();
        let mut asking = ask(&existing);
        asking.mode = if replace { Mode::Replace } else { Mode::Add };
        let Ok(plan) = asking.file(&text) else { return Ok(()) };
        let before: BTreeSet<_> = existing.iter().map(|it| it.id).collect();
        let listed = plan.keep.len() + plan.change.len() + plan.remove.len();
        prop_assert_eq!(listed, existing.len());
        prop_assert!(plan.add.iter().all(|decky| !before.contains(&decky.id)));
        let after = plan.fleet();
        let distinct = |value: fn(&Decky) -> String| {
            after.iter().map(value).collect::<BTreeSet<_>>().len()
        };
        prop_assert_eq!(distinct(|it| it.name.clone()), after.len());
        prop_assert_eq!(distinct(|it| it.ip.to_string()), after.len());
        prop_assert_eq!(distinct(|it| it.hostname.clone()), after.len());
        prop_assert_eq!(distinct(|it| format!("{:?}", it.mac)), after.len());
    }
}

#[test]
fn deckies_are_in_the_fleets_domain_or_in_their_own() {
    let plan = ask(&[]).file("[a]\nservices=ssh\n[b]\nservices=ssh\ndomain=Lab.Example\n").unwrap();
    let domains: Vec<_> = plan.add.iter().map(|decky| decky.domain.as_deref().unwrap()).collect();
    assert_eq!(domains, ["corp.example", "lab.example"]);
    let plan = plan.fleet();
    let mut again = ask(&plan);
    again.mode = Mode::Replace;
    let changed = again.file("[a]\nservices=ssh\ndomain=x.example\n[b]\nservices=ssh\n").unwrap();
    let after: Vec<_> =
        changed.change.iter().map(|it| it.after.domain.as_deref().unwrap()).collect();
    assert_eq!((after, changed.keep.len()), (vec!["x.example"], 1));
}
