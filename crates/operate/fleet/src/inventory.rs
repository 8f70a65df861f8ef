//! The deckies of this machine in the database, their persona secrets sealed.

use base_model::{Account, Decky, DeckyId, DeckyService, MacAddress, PersonaSecret, Timestamp};
use base_runtime::entropy::NoEntropy;
use serde::{Deserialize, Serialize};
use store_db::fleet::LOCAL_HOST;
use store_db::{Db, DbError, FleetDeckyRow};

use crate::seal::{SealError, SealingKey};
use crate::state::DeckyState;

/// The fleet could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The database failed.
    #[error("failed to reach the fleet in the database")]
    Db(#[from] DbError),
    /// The persona secret does not open.
    #[error("failed to open the persona secret of decky `{0}`")]
    Sealed(String, #[source] SealError),
    /// A record is damaged or of a newer version.
    #[error("the record of decky `{0}` is not readable; was it written by a newer version?")]
    Record(String, #[source] Option<serde_json::Error>),
    /// No random bytes.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

/// A decky with how it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// What it is to be.
    pub decky: Decky,
    /// What it is doing.
    pub state: DeckyState,
    /// What went wrong.
    pub last_error: Option<String>,
    /// When it was last seen to run.
    pub last_seen: Option<Timestamp>,
    /// When any of this last changed.
    pub updated_at: Timestamp,
}

impl Entry {
    /// Whether it is to be there.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.state != DeckyState::TearingDown
    }
}

/// The fleet of this machine.
#[derive(Debug)]
pub struct Inventory<'a> {
    db: &'a Db,
    key: &'a SealingKey,
}

/// A decky as it rests: everything but what has columns of its own, the secret sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    id: DeckyId,
    hostname: String,
    #[serde(default)]
    domain: Option<String>,
    #[serde(default)]
    mac: Option<MacAddress>,
    #[serde(default)]
    mac_vendor: Option<String>,
    archetype: String,
    distro: String,
    os: String,
    persona_secret: String,
    boot_time: i64,
    accounts: Vec<Account>,
    services: Vec<DeckyService>,
}

impl<'a> Inventory<'a> {
    /// The fleet in `db`, its secrets under `key`.
    #[must_use]
    pub const fn new(db: &'a Db, key: &'a SealingKey) -> Self {
        Self { db, key }
    }

    /// All deckies of this machine, by name.
    ///
    /// # Errors
    /// When one of them cannot be read: a fleet is never brought up in part by mistake.
    pub async fn load(&self) -> Result<Vec<Entry>, InventoryError> {
        let rows = self.db.fleet().list().await?;
        rows.into_iter()
            .filter(|row| row.host_uuid == LOCAL_HOST)
            .map(|row| {
                let state = DeckyState::parse(&row.state)
                    .ok_or_else(|| InventoryError::Record(row.name.clone(), None))?;
                let (last_error, last_seen) = (row.last_error.clone(), row.last_seen);
                let updated_at = row.updated_at;
                Ok(Entry { decky: self.decky(row)?, state, last_error, last_seen, updated_at })
            })
            .collect()
    }

    /// What is stored of `deckies`, not yet running; `nonces` are random and one for each.
    ///
    /// # Errors
    /// When a secret cannot be sealed; a bug.
    pub fn rows<'d>(
        &self,
        deckies: impl IntoIterator<Item = &'d Decky>,
        nonces: impl IntoIterator<Item = [u8; 12]>,
        now: Timestamp,
    ) -> Result<Vec<FleetDeckyRow>, InventoryError> {
        deckies.into_iter().zip(nonces).map(|(decky, nonce)| self.row(decky, nonce, now)).collect()
    }

    fn row(
        &self,
        decky: &Decky,
        nonce: [u8; 12],
        now: Timestamp,
    ) -> Result<FleetDeckyRow, InventoryError> {
        let sealed = self.key.seal(decky.secret.expose(), &decky.id.to_string(), nonce);
        let record = Record {
            id: decky.id,
            hostname: decky.hostname.clone(),
            domain: decky.domain.clone(),
            mac: decky.mac,
            mac_vendor: decky.mac_vendor.clone(),
            archetype: decky.archetype.clone(),
            distro: decky.distro.clone(),
            os: decky.os.clone(),
            persona_secret: sealed
                .map_err(|error| InventoryError::Sealed(decky.name.clone(), error))?,
            boot_time: decky.boot_time,
            accounts: decky.accounts.clone(),
            services: decky.services.clone(),
        };
        let config = serde_json::to_string(&record);
        Ok(FleetDeckyRow {
            host_uuid: LOCAL_HOST.to_owned(),
            name: decky.name.clone(),
            services: decky.services.iter().map(|service| service.name.clone()).collect(),
            decky_config: Some(
                config.map_err(|error| InventoryError::Record(decky.name.clone(), Some(error)))?,
            ),
            decky_ip: Some(decky.ip.to_string()),
            state: DeckyState::Pending.name().to_owned(),
            last_error: None,
            last_seen: None,
            updated_at: now,
        })
    }

    fn decky(&self, row: FleetDeckyRow) -> Result<Decky, InventoryError> {
        let unreadable = |error| InventoryError::Record(row.name.clone(), error);
        let config = row.decky_config.as_deref().ok_or_else(|| unreadable(None))?;
        let record: Record =
            serde_json::from_str(config).map_err(|error| unreadable(Some(error)))?;
        let ip = row.decky_ip.as_deref().and_then(|ip| ip.parse().ok());
        let sealed = |error| InventoryError::Sealed(row.name.clone(), error);
        let secret =
            self.key.open(&record.persona_secret, &record.id.to_string()).map_err(sealed)?;
        let secret = secret.try_into().map_err(|_| sealed(SealError::Format))?;
        Ok(Decky {
            id: record.id,
            ip: ip.ok_or_else(|| unreadable(None))?,
            hostname: record.hostname,
            domain: record.domain,
            mac: record.mac,
            mac_vendor: record.mac_vendor,
            archetype: record.archetype,
            distro: record.distro,
            os: record.os,
            secret: PersonaSecret::new(secret),
            boot_time: record.boot_time,
            accounts: record.accounts,
            services: record.services,
            name: row.name,
        })
    }
}

#[cfg(test)]
mod tests {
    use store_db::{DbUrl, FleetChange};

    use super::*;
    use crate::testing::{NOW, fleet};

    #[tokio::test]
    async fn a_fleet_comes_back_as_it_was_and_its_secrets_are_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decnet.db");
        let db = Db::open(&DbUrl::Sqlite(path.clone())).await.unwrap();
        let key = SealingKey::parse(&SealingKey::text([1; 32])).unwrap();
        let now = NOW;
        let deckies = fleet(3);
        let inventory = Inventory::new(&db, &key);
        let nonces = || (0..).map(|n: u8| [n; 12]);
        let put = inventory.rows(&deckies, nonces(), now).unwrap();
        let change = FleetChange { put, ..FleetChange::default() };
        db.fleet().change(&change, now).await.unwrap();
        db.fleet().change(&change, now).await.unwrap();
        let loaded = inventory.load().await.unwrap();
        assert!(loaded.iter().all(|entry| entry.state == DeckyState::Pending));
        assert!(loaded.iter().map(|entry| &entry.decky).eq(&deckies));
        let other = SealingKey::parse(&SealingKey::text([2; 32])).unwrap();
        let refused = Inventory::new(&db, &other).load().await;
        assert!(
            matches!(refused, Err(InventoryError::Sealed(name, SealError::Open)) if name == "decky-01")
        );
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            assert!(!bytes.windows(16).any(|part| part == [7; 16]), "secret in clear");
        }
    }
}
