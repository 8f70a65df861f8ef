//! For whom mail is taken.

use decoys_host::HostHandle;

use super::command::Address;

/// What becomes of a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Somebody on this machine, by account.
    Local,
    /// In our domain, but nobody.
    Nobody,
    /// Somebody else's domain.
    Foreign,
}

/// The mail domains of a machine.
#[derive(Debug)]
pub(super) struct Policy {
    host: HostHandle,
    domains: [String; 4],
}

impl Policy {
    pub(super) fn new(host: HostHandle) -> Self {
        let local = |name: &str| name.to_owned();
        let domains =
            [host.fqdn(), host.domain(), local("localhost"), local("localhost.localdomain")];
        Self { host, domains }
    }

    /// Where `address` leads.
    pub(super) fn verdict(&self, address: &Address) -> Verdict {
        // Postfix never takes mail for an address with routing left in its local part.
        if address.local.iter().any(|byte| b"%!@".contains(byte)) {
            return Verdict::Foreign;
        }
        let own = self.domains.iter().any(|domain| domain.as_bytes() == address.domain);
        if !own && !address.domain.is_empty() {
            return Verdict::Foreign;
        }
        if self.account(&address.local).is_some() { Verdict::Local } else { Verdict::Nobody }
    }

    /// The account that gets mail for `local`.
    pub(super) fn account(&self, local: &[u8]) -> Option<decoys_host::Account> {
        let name = local.to_ascii_lowercase();
        // `recipient_delimiter = +`.
        let name = name.split(|&byte| byte == b'+').next().unwrap_or_default();
        // `/etc/aliases`.
        let name = if name == b"postmaster" { b"root" } else { name };
        self.host.account(name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::address;
    use super::*;

    #[test]
    fn own_people_get_mail_and_nobody_else() {
        let host = decoys_host::testing::host(1, "debian");
        let (fqdn, domain) = (host.fqdn(), host.domain());
        let policy = Policy::new(host);
        let verdict = |text: &str| policy.verdict(&address(text.as_bytes()).unwrap());
        for own in ["root", "Deploy+x", "postmaster", "root@localhost"] {
            assert_eq!(verdict(own), Verdict::Local, "{own}");
        }
        assert_eq!(verdict(&format!("deploy@{fqdn}")), Verdict::Local);
        assert_eq!(verdict(&format!("root@{}", domain.to_uppercase())), Verdict::Local);
        assert_eq!(verdict(&format!("nobody-here@{domain}")), Verdict::Nobody);
        for foreign in ["root@gmail.com", "a%b.c", "x!root", "root@[10.0.3.1]"] {
            assert_eq!(verdict(foreign), Verdict::Foreign, "{foreign}");
        }
    }
}
