//! What fleet files mean, and every message about them.

use proptest::prelude::*;

use super::{FleetFile, Source, read};
use crate::testing::catalogue;
use crate::wish::{Distros, Services};
use crate::{Catalogue, OsFamily, Problem};

/// The file's content and warnings; the catalogue lives as long as the test.
fn load(text: &str) -> (FleetFile<'static>, Vec<Problem>) {
    read(text, Source::File, kept()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn kept() -> &'static Catalogue {
    Box::leak(Box::new(catalogue()))
}

/// Every problem of a file, without its place.
fn refused(text: &str) -> Vec<String> {
    match read(text, Source::File, kept()) {
        Err(problems) => problems.all().iter().map(|problem| problem.text.clone()).collect(),
        Ok((file, _)) => panic!("accepted: {file:?}"),
    }
}

/// Problems as shown, places and hints included.
fn shown(text: &str) -> Vec<String> {
    let problems = read(text, Source::File, kept()).unwrap_err();
    problems.to_string().lines().map(str::to_owned).collect()
}

fn warned(text: &str) -> Vec<String> {
    load(text).1.iter().map(ToString::to_string).collect()
}

#[test]
fn the_file_of_the_specification_is_read() {
    let (file, warnings) = load(
        "[general]\nnet=192.168.1.0/24\ngw=192.168.1.1\ninterface=eth0\nlog_target=10.0.0.9:5140\n\
         [web]                   # decky\nip=192.168.1.82\nservices=ssh, http\n\
         archetype=linux-server\nnmap_os=linux\nmutate_interval=60\n\
         [web.http]\nserver_header=nginx/1.18.0\n",
    );
    assert_eq!(file.general.net.unwrap().0.to_string(), "192.168.1.0/24");
    assert_eq!(file.general.gw.unwrap().0.to_string(), "192.168.1.1");
    let wish = &file.wishes[0];
    assert_eq!(wish.names, ["web"]);
    assert_eq!(wish.ip.unwrap().to_string(), "192.168.1.82");
    assert_eq!(wish.os, Some(OsFamily::Linux));
    assert_eq!(wish.settings("web", "http")["server_header"], "nginx/1.18.0");
    let warnings: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "line 4, column 11: [general] interface= has no effect in this build",
            "line 5, column 12: [general] log_target= has no effect in this build",
            "line 11, column 17: [web] mutate_interval= has no effect in this build",
        ]
    );
}

#[test]
fn an_amount_makes_a_numbered_group() {
    let (file, _) = load("[web]\nservices=ssh\namount=100\n");
    assert_eq!(file.wishes[0].names.first().unwrap(), "web-01");
    assert_eq!(file.wishes[0].names.last().unwrap(), "web-100");
    let (file, _) = load("[web]\nservices=ssh\namount=1\nip=10.0.0.1");
    assert_eq!(file.wishes[0].names, ["web"]);
    for wrong in ["0", "x", "-1", "", "1.5"] {
        assert_eq!(
            refused(&format!("[web]\nservices=ssh\namount={wrong}")),
            [format!("[web] amount= must be a positive integer, got '{wrong}'")]
        );
    }
    assert_eq!(
        refused("[web]\nservices=ssh\namount=101"),
        ["[web] amount=101 exceeds maximum allowed (100)."]
    );
    assert_eq!(
        refused("[web]\nservices=ssh\namount=3\nip=10.0.0.1"),
        ["[web] Cannot combine ip= with amount=3. Remove ip= or use amount=1."]
    );
}

#[test]
fn a_rotation_interval_is_whole_minutes_in_either_spelling() {
    for wrong in ["0", "soon", "1.5", "-3"] {
        for key in ["mutate_interval", "mutate-interval"] {
            assert_eq!(
                refused(&format!("[web]\nservices=ssh\n{key}={wrong}")),
                [format!("[web] mutate_interval= must be an integer, got '{wrong}'")]
            );
        }
    }
    assert_eq!(
        refused("[web]\nservices=ssh\nnmap-os=linux\nnmap_os=bsd"),
        ["[web] nmap_os= and nmap-os= are one setting"]
    );
}

#[test]
fn a_text_without_deckies_is_told_what_it_lacks() {
    assert_eq!(refused(""), ["INI content is empty"]);
    assert_eq!(refused("\u{feff} \r\n\t"), ["INI content is empty"]);
    assert_eq!(refused("# nothing"), ["Invalid INI format: no sections found"]);
    assert_eq!(refused("[general]"), ["INI must contain at least one decky section"]);
    assert_eq!(refused(&" ".repeat(524_289)), ["INI content is too large (max 512KB)"]);
    let fits = format!("[a]\nservices=ssh\n{}", "#".repeat(524_288 - 17));
    assert_eq!(load(&fits).0.wishes.len(), 1);
    assert_eq!(refused(&format!("{fits}#")), ["INI content is too large (max 512KB)"]);
    assert_eq!(
        refused("services=ssh\n[web]\nservices=ssh"),
        ["Invalid INI format: services= comes before the first section"]
    );
    assert_eq!(
        refused("[web]\nservices=ssh\nnonsense"),
        ["Invalid INI format: a line is key=value"]
    );
}

#[test]
fn unknown_names_are_errors_with_suggestions() {
    assert_eq!(
        shown(
            "[web]\nservices=shh, http\n[db]\narchetype=databse-server\n[x]\nservices=ssh\n\
             distro=debain\nnmap_os=linus\namuont=3\nmac_vendor=Acme\n"
        ),
        [
            "line 2, column 10: Unknown service(s) in [web]: [\"shh\"]. Available: [\"ftp\", \
             \"http\", \"mysql\", \"ssh\"] (did you mean ssh?)",
            "line 4, column 11: Unknown archetype 'databse-server'. Available: database-server, \
             deaddeck, devops-host, file-server, linux-server, monitoring-node, printer, \
             web-server (did you mean database-server?)",
            &format!(
                "line 7, column 8: Unknown distro 'debain'. Available: {} (did you mean debian?)",
                slugs()
            ),
            "line 8, column 9: [x] Unknown nmap_os 'linus'. Available: linux, windows, \
             windows_server, bsd, embedded, cisco (did you mean linux?)",
            "line 9, column 8: [x] unknown key 'amuont' (did you mean amount?)",
            "line 10, column 12: [x] Unknown mac_vendor 'Acme'. Available: Brother, Dell, \
             Espressif, HP, Intel, Kyocera, Lexmark, Moxa, Phoenix Contact, QEMU/KVM, Raspberry \
             Pi, Ricoh, Rockwell, Samsung, Schneider, Schweitzer, Siemens, VMware, WAGO",
        ]
    );
    assert_eq!(refused("[web]\nservices=,"), ["A decky must have at least one service."]);
}

fn slugs() -> String {
    let mut slugs: Vec<_> =
        decoys_host::persona::distros().iter().map(|distro| distro.slug.as_str()).collect();
    slugs.sort_unstable();
    slugs.join(", ")
}

#[test]
fn what_is_given_twice_is_an_error_in_a_file_and_a_warning_from_the_api() {
    let text = "[web]\nservices=ssh\nServices=http\n[web]\nnmap_os=linux\n";
    assert_eq!(
        refused(text),
        [
            "[web] services= is given twice, on lines 2 and 3",
            "section [web] is given twice, on lines 1 and 4"
        ]
    );
    let (file, warnings) = read(text, Source::Api, kept()).unwrap();
    assert!(matches!(&file.wishes[0].services, Services::Given(one) if one[0].name == "http"));
    assert_eq!(file.wishes[0].os, Some(OsFamily::Linux));
    let warnings: Vec<_> = warnings.iter().map(|warning| warning.text.as_str()).collect();
    assert_eq!(
        warnings,
        [
            "[web] services= is given twice, on lines 2 and 3; the later wins",
            "section [web] is given twice, on lines 1 and 4; the later wins"
        ]
    );
    assert_eq!(
        refused("[web]\nservices=ssh\n[web.ssh]\n[WEB.ssh]\n[general]\n[General]\n"),
        [
            "section [WEB.ssh] is given twice, on lines 3 and 4",
            "section [general] is given twice, on lines 5 and 6",
        ]
    );
    assert_eq!(
        refused("[web-01]\nservices=ssh\n[Web]\nservices=ssh\namount=2\n"),
        ["decky 'web-01' is given twice, on lines 1 and 3"]
    );
}

#[test]
fn names_are_made_to_fit_with_a_warning() {
    let (file, warnings) = load("[Web_01.dmz]\nservices=ssh\n");
    assert_eq!(file.wishes[0].names, ["web-01-dmz"]);
    assert_eq!(warnings[0].to_string(), "line 1, column 2: [Web_01.dmz] is named web-01-dmz");
    for wrong in ["we b", "-web", "web!", "ä", &"x".repeat(64), &"x".repeat(129)] {
        let text = refused(&format!("[{wrong}]\nservices=ssh\n")).remove(0);
        assert!(text.contains("is not a decky name"), "{text}");
    }
}

#[test]
fn a_dotted_section_is_about_a_service_only_when_its_end_is_one() {
    let (file, _) = load("[decky.webmail]\nservices=http\n");
    assert_eq!(file.wishes[0].names, ["decky-webmail"]);
    assert_eq!(
        refused("[web]\nservices=http\n[web.snmp]\ncommunity=x\n"),
        ["[web.snmp] service snmp is not in this build"]
    );
}

#[test]
fn settings_reach_a_group_or_one_of_it_and_nothing_else() {
    let (file, _) = load(
        "[Web.http]\ncustom_body=all\nserver_header=nginx\n[web-02.http]\ncustom_body=two\n\
         [web]\nservices=http\namount=2\n[web-front]\nservices=http\n",
    );
    let body = |wish: usize, name: &str| {
        file.wishes[wish].settings(name, "http").get("custom_body").cloned()
    };
    assert_eq!(body(0, "web-01"), Some("all".into()));
    assert_eq!(body(0, "web-02"), Some("two".into()));
    assert_eq!(file.wishes[0].settings("web-02", "http")["server_header"], "nginx");
    assert_eq!(body(1, "web-front"), None);
    assert_eq!(
        shown("[wbe.http]\ncustom_body=x\n[web]\nservices=http\n"),
        ["line 1, column 2: [wbe.http] settings for 'wbe', but the file has no such decky \
             (did you mean web?)"]
    );
    assert!(refused("[web]\nservices=http\namount=2\n[web-03.http]\n").len() == 1);
}

#[test]
fn settings_are_checked_as_the_service_says() {
    assert_eq!(
        shown("[web]\nservices=ssh\n[web.ssh]\ntries=many\npasword=x\nssh_version=b64:!\n"),
        [
            "line 4, column 7: [web.ssh] tries: expected int, got many",
            "line 5, column 9: [web.ssh] ssh has no setting 'pasword' (did you mean password?)",
            "line 6, column 13: [web.ssh] ssh_version: malformed b64: payload",
        ]
    );
    let (file, _) = load(
        "[web]\nservices=ssh\n[web.ssh]\ntries=3\npassword=100%sure;#1\nssh_version=b64:YQpi\n",
    );
    let settings = file.wishes[0].settings("web", "ssh");
    assert_eq!(settings["tries"], 3);
    assert_eq!(settings["password"], "100%sure;#1");
    assert_eq!(settings["ssh_version"], "a\nb");
    assert!(refused("[w]\nservices=ssh\n[w.ssh]\npassword=b64:/w==\n")[0].ends_with("payload"));
}

#[test]
fn every_line_end_gives_the_same_fleet() {
    let text = "[web]\nservices=ssh\namount=2\n";
    for end in ["\n", "\r\n", "\r"] {
        let (file, warnings) = load(&text.replace('\n', end));
        assert_eq!((file.wishes[0].names.len(), warnings.len()), (2, 0));
    }
}

#[test]
fn custom_services_are_checked_and_refused() {
    assert_eq!(
        refused("[custom-myapp]\nbinary=x\nexec=/bin/x\nports=9999\n[web]\nservices=ssh,myapp\n"),
        ["[custom-myapp] custom services are not in this build; remove the section"]
    );
    assert_eq!(
        refused("[custom-myapp]\nports=1,x\nimage=y\n[web]\nservices=ssh\n"),
        [
            "[custom-myapp] binary= is missing",
            "[custom-myapp] custom services are not in this build; remove the section",
            "[custom-myapp] ports= must be numbers from 1 to 65535, separated by commas, got '1,x'",
            "[custom-myapp] unknown key 'image'",
        ]
    );
}

#[test]
fn keys_without_effect_are_checked_and_said() {
    let general = "[general]\nipvlan=yes\nnaming={site}{nn}\nlog_file=/x\n\
                   egress=off\nmutate_interval=5\n[web]\nservices=ssh\nstack_profile=linux6\n\
                   tags=a,b\nvlan=12\nhost=w1\nzone=eu\n";
    let warnings = warned(general);
    assert_eq!(warnings.len(), 10, "{warnings:#?}");
    assert!(warnings.iter().all(|text| text.ends_with("= has no effect in this build")));
    let wrong = "[general]\nnet=x\ngw=1.2.3\ndhcp_range=9-1\nipvlan=perhaps\nnaming=x\ndomain=-a\n\
                 egress=all\nlog_target=host\ninterface=a/b\nmutate_interval=no\n[web]\n\
                 services=ssh\nvlan=4095\ntags=,\nstack_profile=a b\nhost=_\nip=1.2.3\n\
                 hostname=-x\nmac=01:00:5e:00:00:01\nusers=root\n";
    let refused = refused(wrong);
    assert_eq!(refused.len(), 18, "{refused:#?}");
    assert!(refused.iter().all(|text| text.contains("= must be ")), "{refused:#?}");
    assert_eq!(
        self::refused("[general]\nnet=10.0.0.0/24\ngw=10.0.1.1\n[web]\nservices=ssh\n"),
        ["[general] gw=10.0.1.1 is outside 10.0.0.0/24"]
    );
}

#[test]
fn identity_can_be_given() {
    for users in ["root:a,root:b", "Root:x", "bob:", &"u:p,".repeat(40)] {
        let text = refused(&format!("[w]\nservices=ssh\nusers={users}")).remove(0);
        assert!(text.starts_with("[w] users= must be "), "{text}");
    }
    let (file, _) = load(
        "[web]\nservices=ssh\ndistro=ubuntu22,debian\nhostname=www.corp.local\n\
         mac=00-50-56-8A-00-01\nmac_vendor=vmware\nusers=root:a:b,bob:c\n",
    );
    let wish = &file.wishes[0];
    assert!(matches!(&wish.distros, Distros::Among(two) if two.len() == 2));
    assert_eq!(wish.hostname.as_deref(), Some("www.corp.local"));
    assert_eq!(wish.mac.unwrap().to_string(), "00:50:56:8a:00:01");
    assert_eq!(wish.users.as_ref().unwrap()[0].password, "a:b");
    assert_eq!(
        refused("[web]\nservices=ssh\namount=2\nhostname=x\nmac=00:50:56:8a:00:01\n"),
        [
            "[web] Cannot combine hostname= with amount=2. Remove hostname= or use amount=1.",
            "[web] Cannot combine mac= with amount=2. Remove mac= or use amount=1.",
        ]
    );
}

#[test]
fn a_file_that_is_wrong_throughout_ends_the_reading() {
    let text = "[web]\n".to_owned() + &"nonsense\n".repeat(50_000);
    assert!(shown(&text).len() <= 201);
    let many: String = (0..300).map(|n| format!("[a{n}]\namount=100\n")).collect();
    assert_eq!(refused(&many), ["the file asks for more than 20000 deckies"]);
    let large =
        format!("[w]\nservices=http\namount=100\n[w.http]\ncustom_body={}", "é".repeat(500_000));
    assert!(refused(&large)[0].ends_with("settings are too large for 100 deckies"));
}

/// A file of the largest size: `head`, then `part` again and again.
fn filled(head: &str, most: usize, part: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for n in 0.. {
        let part = part(n);
        if text.len() + part.len() > most {
            break;
        }
        text.push_str(&part);
    }
    text
}

#[test]
fn the_largest_files_are_read_to_their_end_and_refused_in_few_words() {
    const MOST: usize = 524_288;
    let decky = "[w]\nservices=ssh\n";
    let names = filled("[w]\nservices=", MOST / 2, |n| format!("s{n},"));
    let texts = [
        filled("[w]\nservices=", MOST, |n| format!("s{n},")),
        filled("[w]\ndistro=", MOST, |_| "debian,".to_owned()),
        filled("[w]\nusers=", MOST, |n| format!("u{n}:p,")),
        filled(decky, MOST, |n| format!("key{n}=v\n")),
        filled(decky, MOST, |n| format!("[w{n}.ssh]\n")),
        filled(decky, MOST, |n| format!("[custom-{n}]\n")),
        filled(&names, MOST, |n| format!("\n[custom-s{n}]")),
        filled("", MOST, |n| format!("[w{n}]\nservices=ssh\n")),
        filled("[", MOST, |_| ".".to_owned()),
        filled("", MOST - 1, |_| "\r".to_owned()) + "x",
    ];
    for text in &texts {
        let told = match read(text, Source::Api, kept()) {
            Ok((_, warnings)) => warnings.len(),
            Err(problems) => problems.to_string().len(),
        };
        assert!(told < 100_000, "{told} from {:?}", &text[..40]);
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,400}") {
        let catalogue = catalogue();
        for source in [Source::File, Source::Api] {
            let _ = read(&text, source, &catalogue);
        }
    }

    #[test]
    fn any_file_is_read_or_refused(lines in prop::collection::vec(line(), 0..40)) {
        let catalogue = catalogue();
        for source in [Source::File, Source::Api] {
            if let Err(problems) = read(&lines.join("\n"), source, &catalogue) {
                prop_assert!(!problems.all().is_empty());
                let last = lines.len();
                for at in problems.all().iter().filter_map(|problem| problem.at) {
                    prop_assert!((1..=last).contains(&at.line));
                }
            }
        }
    }
}

/// Lines near those that mean something.
fn line() -> impl Strategy<Value = String> {
    let key = "ip|services|archetype|nmap[_-]os|amount|mutate[_-]interval|distro|hostname|mac|users|\
               net|gw|dhcp_range|ports|binary|custom_body|password|tries|[a-z]{1,3}";
    let value = "[0-9]{1,4}|ssh(, ?http)?|10\\.0\\.0\\.[0-9]{1,2}(/[0-9]{1,2})?|b64:[A-Za-z0-9+/=]{0,8}|\
                 linux(-server)?|debian|[ -~]{0,12}";
    let name = "general|web|web-0[12]|web\\.http|web-01\\.ssh|custom-[a-z]|[A-Za-z_.-]{1,8}";
    prop_oneof![
        name.prop_map(|name| format!("[{name}]")),
        (key, value).prop_map(|(key, value)| format!("{key}={value}")),
        "[ -~]{0,20}",
    ]
}
