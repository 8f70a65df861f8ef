//! Package managers tell the versions that everything else tells.

use crate::shell::commands::harness::Shell;

fn on(distro: &str) -> Shell {
    Shell::on(crate::testing::host(1, distro))
}

#[test]
fn each_distribution_has_its_own_manager_only() {
    for (distro, own, alien) in [
        ("debian", "dpkg apt apt-get apt-cache", "rpm yum dnf apk pacman"),
        ("ubuntu20", "dpkg apt apt-get", "rpm yum dnf apk pacman"),
        ("kali", "dpkg apt apt-get", "rpm yum dnf apk pacman"),
        ("rocky9", "rpm dnf yum", "dpkg apt apk pacman"),
        ("centos7", "rpm yum", "dnf dpkg apt apk pacman"),
        ("fedora", "rpm dnf yum", "dpkg apt apk pacman"),
        ("alpine", "apk", "dpkg apt rpm yum dnf pacman"),
        ("arch", "pacman", "dpkg apt rpm yum dnf apk"),
    ] {
        let mut shell = on(distro);
        for name in own.split(' ') {
            assert_eq!(shell.run(&format!("command -v {name}")).status, 0, "{distro} {name}");
        }
        for name in alien.split(' ') {
            let done = shell.run(name);
            assert_eq!(done.status, 127, "{distro} {name}");
            assert!(done.err.ends_with("command not found\n"), "{}", done.err);
        }
    }
}

#[test]
fn the_ssh_server_is_installed_in_the_version_of_its_banner() {
    for (distro, query) in [
        ("debian", "dpkg-query -W openssh-server | cut -f2"),
        ("ubuntu22", "dpkg-query -W openssh-server | cut -f2"),
        ("ubuntu20", "dpkg -l openssh-server | tail -1 | awk '{print $3}'"),
        ("kali", "dpkg -l openssh-server | tail -1 | awk '{print $3}'"),
        ("rocky9", "rpm -q openssh-server"),
        ("centos7", "rpm -q openssh-server"),
        ("fedora", "rpm -q openssh-server"),
        ("alpine", "apk info -v openssh-server"),
        ("arch", "pacman -Q openssh | cut -d' ' -f2"),
    ] {
        let mut shell = on(distro);
        let told = shell.run(query).out;
        let release = shell.host.with(|machine| machine.facts().release);
        assert!(told.contains(&release.ssh_package), "{distro} {told}");
        // 9.2p1 Debian-2+deb12u5 is 1:9.2p1-2+deb12u5.
        let number = release.ssh.trim_start_matches("OpenSSH_");
        let number = number.split([' ', 'p']).next().unwrap();
        assert!(told.contains(number), "{distro} {told}");
        if let Some((_, build)) = release.ssh.split_once('-') {
            assert!(told.trim().ends_with(build), "{distro} {told}");
        }
        let version = shell.run("ssh -V").err;
        assert!(version.starts_with(&release.ssh), "{distro} {version}");
    }
}

#[test]
fn installing_does_not_get_past_the_network() {
    for (distro, line, says, status) in [
        ("debian", "apt-get install -y nmap", "E: Unable to locate package nmap\n", 100),
        ("alpine", "apk add nmap", "  nmap (no such package):\n", 1),
        ("arch", "pacman -Sy --noconfirm nmap", "error: failed to synchronize all databases", 1),
        ("rocky9", "dnf install -y nmap", "Could not resolve host: mirrors.rockylinux.org", 1),
        ("centos7", "yum install -y nmap", "Cannot find a valid baseurl for repo: base/7", 1),
        ("fedora", "yum install -y nmap", "Could not resolve host: mirrors.fedoraproject.org", 1),
    ] {
        let done = on(distro).run(line);
        assert!(done.err.contains(says), "{distro} {}", done.err);
        assert_eq!(done.status, status, "{distro}");
    }
}

#[test]
fn lists_can_be_narrowed() {
    assert!(on("debian").run("dpkg -l 'openssh*' | grep -c ^ii").out.trim() == "3");
    on("rocky9").gives(
        "rpm -q nosuch bash",
        "package nosuch is not installed\nbash-5.1.8-9.el9.x86_64\n",
        "",
        1,
    );
    on("arch").gives("pacman -Q nosuch", "", "error: package 'nosuch' was not found\n", 1);
    let all = on("centos7").run("rpm -qa").out;
    assert!(all.contains("yum-3.4.3-168.el7.centos.noarch\n") && !all.contains('{'), "{all}");
    let mut shell = on("debian");
    shell.gives("dpkg -s nosuch", "", "dpkg-query: package 'nosuch' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n", 1);
}
