//! What there is to be, and what becomes of it.

use super::at;
use crate::testing::databases;
use crate::{
    DeckyObserved, FleetChange, FleetDeckyRow, FleetReport, FleetSettingsRow, LifecycleRow,
    LifecycleStep,
};

fn decky(name: &str, config: &str) -> FleetDeckyRow {
    FleetDeckyRow {
        host_uuid: crate::fleet::LOCAL_HOST.into(),
        name: name.into(),
        services: vec!["ssh".into(), "http".into()],
        decky_config: Some(config.into()),
        decky_ip: Some("127.0.0.9".into()),
        state: "pending".into(),
        last_error: None,
        last_seen: None,
        updated_at: at(1),
    }
}

fn change(id: &str, decky: &str, operation: &str) -> LifecycleRow {
    LifecycleRow {
        id: id.into(),
        decky_name: decky.into(),
        operation: operation.into(),
        status: "pending".into(),
        error: None,
        started_at: at(1),
        updated_at: at(1),
        completed_at: None,
    }
}

fn step(id: &str, status: &str, error: Option<&str>) -> LifecycleStep {
    LifecycleStep { id: id.into(), status: status.into(), error: error.map(Into::into) }
}

fn observed(name: &str, state: &str) -> DeckyObserved {
    DeckyObserved { name: name.into(), state: state.into(), last_error: None }
}

#[tokio::test]
async fn a_decky_is_there_until_it_was_seen_to_be_gone() {
    for test in databases().await {
        let fleet = test.db.fleet();
        let put = vec![decky("a", "{}"), decky("b", "sealed")];
        fleet.change(&FleetChange { put, ..FleetChange::default() }, at(1)).await.unwrap();
        let both = vec![observed("a", "running"), observed("b", "running")];
        let report = FleetReport { observed: both, ..FleetReport::default() };
        fleet.report(&report, at(2)).await.unwrap();
        let stats = test.db.stats().await.unwrap();
        assert_eq!((stats.deployed_deckies, stats.active_deckies), (2, 2));
        let leaving = vec!["a".to_owned()];
        fleet.change(&FleetChange { leaving, ..FleetChange::default() }, at(3)).await.unwrap();
        // A late report of the time before does not bring it back, and only what is leaving goes.
        fleet.report(&report, at(4)).await.unwrap();
        fleet.seen(at(5)).await.unwrap();
        let rows = fleet.list().await.unwrap();
        let states: Vec<_> = rows.iter().map(|row| (row.state.as_str(), row.last_seen)).collect();
        assert_eq!(states, [("tearing_down", None), ("running", Some(at(5)))]);
        let gone = vec!["a".to_owned(), "b".to_owned()];
        fleet.report(&FleetReport { gone, ..FleetReport::default() }, at(6)).await.unwrap();
        let names: Vec<_> = fleet.list().await.unwrap().into_iter().map(|row| row.name).collect();
        assert_eq!(names, ["b"]);
        fleet.note_configs([("b".to_owned(), "other".to_owned())]).await.unwrap();
        let row = fleet.list().await.unwrap().remove(0);
        assert_eq!((row.decky_config.as_deref(), row.state.as_str()), (Some("other"), "running"));
    }
}

#[tokio::test]
async fn a_change_that_ended_stays_as_it_ended() {
    for test in databases().await {
        let fleet = test.db.fleet();
        let lifecycle = vec![change("1", "a", "deploy"), change("2", "b", "deploy")];
        fleet.change(&FleetChange { lifecycle, ..FleetChange::default() }, at(1)).await.unwrap();
        let steps = |lifecycle| FleetReport { lifecycle, ..FleetReport::default() };
        let long = "x".repeat(3000);
        let first = vec![step("1", "running", None), step("2", "failed", Some(&long))];
        fleet.report(&steps(first), at(2)).await.unwrap();
        let second = vec![step("1", "succeeded", None), step("2", "succeeded", None)];
        fleet.report(&steps(second), at(3)).await.unwrap();
        let ids = ["2".to_owned(), "none".to_owned(), "1".to_owned()];
        let rows = test.db.lifecycle().by_ids(&ids).await.unwrap();
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.id.as_str(), row.status.as_str(), row.completed_at))
            .collect();
        assert_eq!(told, [("1", "succeeded", Some(at(3))), ("2", "failed", Some(at(2)))]);
        assert_eq!(rows[1].error.as_ref().map(String::len), Some(2000));
        assert_eq!(test.db.lifecycle().open().await.unwrap(), []);
    }
}

#[tokio::test]
async fn the_network_is_one_row() {
    for test in databases().await {
        let fleet = test.db.fleet();
        assert_eq!(fleet.settings().await.unwrap(), None);
        for subnet in ["127.0.0.0/8", "127.9.0.0/16"] {
            let settings = FleetSettingsRow {
                subnet: subnet.into(),
                gateway: None,
                ip_start: "127.9.0.1".into(),
                domain: (subnet == "127.9.0.0/16").then(|| "corp.example".into()),
                updated_at: at(1),
            };
            let settings = Some(settings);
            let change = FleetChange { settings: settings.clone(), ..FleetChange::default() };
            fleet.change(&change, at(1)).await.unwrap();
            assert_eq!(fleet.settings().await.unwrap(), settings);
        }
    }
}
