//! One connection to one service.

use std::sync::Arc;

use base_model::{ConnId, Peer, SessionId, catalogue};
use base_runtime::entropy;
use chacha20::ChaCha12Rng;
use decoys_kit::{Open, Opening, Settings};
use decoys_secure::World as _;
use decoys_secure::ssh;
use rand_core::SeedableRng as _;
use tokio::net::TcpStream;

use crate::Service;
use crate::bare;
use crate::counted::Counted;
use crate::data::{DataConnection, DataPorts};
use crate::machine::Machine;
use crate::sensor::Sensor;
use crate::stream;
use crate::voice::{Bound, Voice};
use crate::wire::Secured;

/// A port of a decky, as its connections need it.
pub(crate) struct Endpoint {
    pub(crate) sensor: Arc<Sensor>,
    pub(crate) machine: Arc<Machine>,
    pub(crate) service: &'static Service,
    pub(crate) settings: Settings,
    pub(crate) local: Peer,
    pub(crate) data: Option<Arc<DataPorts>>,
}

/// Serves `stream` from `peer` until it ends.
pub(crate) async fn serve(endpoint: Arc<Endpoint>, stream: TcpStream, peer: Peer) {
    let Some(_place) = endpoint.sensor.admission.admit(endpoint.machine.decky.id, peer.ip) else {
        return;
    };
    let Ok(seed) = entropy::bytes::<96>() else {
        tracing::error!("no entropy; connection refused");
        return;
    };
    let (ids, seeds) = seed.split_at(32);
    let (conn, session) = ids.split_at(16);
    let (own, voices) = seeds.split_at(32);
    let session = SessionId::from_entropy(conn_bytes(session));
    let bound = Bound {
        decky: Arc::clone(&endpoint.machine.decky),
        service: endpoint.service.spec.name,
        attacker: Some(peer),
        local: Some(endpoint.local),
        conn: Some(ConnId::from_entropy(conn_bytes(conn))),
        session: Some(session),
    };
    let begun = endpoint.sensor.clock.now();
    let voice = Voice::of_connection(Arc::clone(&endpoint.sensor), bound, rng(voices), begun);
    let voice = Arc::new(voice);
    // Replies are whole messages; waiting for more to send would only show in the timing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "failed to set TCP_NODELAY");
    }
    let (shutdown, gone) = (endpoint.sensor.shutdown.clone(), endpoint.machine.gone.clone());
    let ended = async move {
        tokio::select! {
            () = shutdown.asked() => {}
            () = gone.asked() => {}
        }
    };
    let stream = Counted::new(stream, ended);
    let counters = stream.counters();
    let conversation = converse(&endpoint, stream, peer, session, rng(own), &voice);
    // One that stays is told even when it says nothing.
    let patience = async {
        tokio::time::sleep(bare::WINDOW).await;
        drop(voice.tell_opened().await);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = conversation => {}
        () = patience => {}
    }
    let (received, sent) = counters.read();
    if received == 0 && voice.is_silent() && !endpoint.sensor.bare.is_first(voice.bound(), begun) {
        return;
    }
    let fact = catalogue::disconnect(voice.now().since(begun), received, sent);
    // With the journal stalled there is nowhere to tell it.
    drop(voice.emit(None, fact).await);
}

async fn converse(
    endpoint: &Endpoint,
    stream: Counted<TcpStream>,
    peer: Peer,
    session: SessionId,
    rng: ChaCha12Rng,
    voice: &Arc<Voice>,
) {
    let opening = Opening {
        host: endpoint.machine.host(),
        settings: endpoint.settings.clone(),
        peer,
        local: endpoint.local,
        session,
    };
    match &endpoint.service.open {
        Open::Stream(open) => {
            let data = DataConnection::new(endpoint.data.clone(), peer.ip);
            let listens = endpoint.service.spec.listens;
            let tls = listens.iter().any(|one| one.tls && one.port == endpoint.local.port);
            let secured = Secured { machine: &endpoint.machine, voice };
            stream::drive(stream, open(opening), rng, secured, data, tls).await;
        }
        Open::Ssh(open) => {
            let session = open(opening);
            match endpoint.machine.keys().await {
                Ok(keys) => {
                    let world = Arc::clone(voice) as _;
                    ssh::serve(stream, session, rng, keys.clone(), world).await;
                }
                Err(error) => {
                    tracing::error!(%error, "no ssh host keys; connection closed");
                    voice.tell_failure().await;
                }
            }
        }
    }
}

fn rng(seed: &[u8]) -> ChaCha12Rng {
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(seed).for_each(|(to, from)| *to = *from);
    ChaCha12Rng::from_seed(bytes)
}

fn conn_bytes(seed: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(seed).for_each(|(to, from)| *to = *from);
    bytes
}
