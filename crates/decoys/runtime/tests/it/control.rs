//! The other end of the link.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use base_model::{
    Body, Decky, DeckyId, DeckyService, Event, Peer, PersonaSecret, Port, Sha256Digest, Transport,
};
use decoys_runtime::{Options, RunError, run};
use events_journal::journal::Limits;
use events_journal::segment;
use events_link::{
    Desired, LINK_VERSION, Link, LinkError, Listening, Receiver, Sender, SensorStatus, Socket,
    ToControl, ToDecoy,
};
use tokio::task::JoinHandle;

use crate::service::TOY;

static SERVICES: &[&decoys_runtime::Service] = &[&TOY];

pub(crate) struct Control {
    pub(crate) address: SocketAddr,
    pub(crate) seqs: Vec<u64>,
    pub(crate) kinds: Vec<String>,
    pub(crate) bodies: Vec<Body>,
    pub(crate) last: Option<Event>,
    pub(crate) blobs: BTreeMap<Sha256Digest, Vec<u8>>,
    sizes: BTreeMap<Sha256Digest, u64>,
    status: Option<SensorStatus>,
    tx: Sender,
    rx: Receiver,
    process: JoinHandle<Result<(), RunError>>,
}

impl Control {
    pub(crate) async fn start(root: &Path) -> Self {
        let (near, far) = UnixStream::pair().unwrap();
        let options =
            Options { root: root.to_owned(), sandbox: Vec::new(), journal: Limits::default() };
        let process = tokio::spawn(run(far.into(), SERVICES, options));
        let (mut tx, mut rx) = Link::new(near.into()).unwrap().split();
        assert!(matches!(rx.receive().await.unwrap(), ToControl::Hello { .. }));
        let welcome = ToDecoy::Welcome { version: LINK_VERSION, committed: Vec::new() };
        tx.send(&welcome).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        tx.send_with(&ToDecoy::Sockets(vec![Socket(0)]), &[listener.as_fd()]).await.unwrap();
        let listening = Listening {
            socket: Socket(0),
            decky: decky().id,
            service: "toy".into(),
            local: Peer { ip: address.ip(), port: 7 },
            data: Vec::new(),
        };
        let desired = Desired { generation: 1, deckies: vec![decky()], listening: vec![listening] };
        tx.send(&ToDecoy::Desired(desired)).await.unwrap();
        Self {
            address,
            seqs: Vec::new(),
            kinds: Vec::new(),
            bodies: Vec::new(),
            last: None,
            blobs: BTreeMap::new(),
            sizes: BTreeMap::new(),
            status: None,
            tx,
            rx,
            process,
        }
    }

    /// Takes and acknowledges records up to the first event of `kind`; all kinds so far.
    pub(crate) async fn events_until(&mut self, kind: &str) -> Vec<String> {
        while !self.kinds.iter().any(|one| one == kind) {
            self.next_batch().await;
        }
        self.kinds.clone()
    }

    /// Handles one message.
    pub(crate) async fn next_batch(&mut self) {
        let message = self.rx.receive().await.unwrap();
        self.handle(message).await;
    }

    async fn handle(&mut self, message: ToControl) {
        match message {
            ToControl::Records(records) => {
                let last = records.first_seq + records.payloads.len() as u64 - 1;
                for payload in &records.payloads {
                    let record = segment::decode(payload).unwrap();
                    assert!(record.blobs.iter().all(|blob| self.blobs.contains_key(blob)));
                    self.seqs.push(record.seq);
                    if let Body::Event(event) = &record.body {
                        self.kinds.push(event.kind.to_string());
                        self.last = Some((**event).clone());
                    }
                    self.bodies.push(record.body);
                }
                let ack = ToDecoy::Ack { boot: records.boot, seq: last };
                self.tx.send(&ack).await.unwrap();
            }
            ToControl::BlobOffer { sha256, size } => {
                self.sizes.insert(sha256, size);
                self.blobs.insert(sha256, Vec::new());
                self.tx.send(&ToDecoy::BlobWanted(sha256)).await.unwrap();
            }
            ToControl::BlobPart(part) => {
                let blob = self.blobs.get_mut(&part.sha256).unwrap();
                assert_eq!(blob.len() as u64, part.offset);
                blob.extend_from_slice(&part.bytes);
                if blob.len() as u64 == self.sizes[&part.sha256] {
                    assert_eq!(Sha256Digest::of(blob), part.sha256);
                    self.tx.send(&ToDecoy::BlobKept(part.sha256)).await.unwrap();
                }
            }
            ToControl::Status(status) => self.status = Some(status),
            ToControl::InForce { refused, .. } => assert!(refused.is_empty()),
            ToControl::Hello { .. } => panic!("greeted twice"),
        }
    }

    /// The next status.
    pub(crate) async fn status(&mut self) -> SensorStatus {
        self.status = None;
        loop {
            if let Some(status) = self.status.take() {
                return status;
            }
            self.next_batch().await;
        }
    }

    pub(crate) async fn send_shutdown(&mut self) {
        self.tx.send(&ToDecoy::Shutdown).await.unwrap();
    }

    /// Takes what is left until the process is gone.
    pub(crate) async fn ended(mut self) {
        loop {
            match self.rx.receive().await {
                Ok(message) => self.handle(message).await,
                Err(LinkError::Closed) => break,
                Err(error) => panic!("{error}"),
            }
        }
        self.process.await.unwrap().unwrap();
    }

    pub(crate) async fn shut_down(mut self) {
        self.send_shutdown().await;
        self.ended().await;
    }

    /// Control dies.
    pub(crate) async fn vanish(self) {
        let Self { tx, rx, process, .. } = self;
        drop((tx, rx));
        assert!(matches!(process.await.unwrap(), Err(RunError::Link(_))));
    }
}

fn decky() -> Decky {
    Decky {
        id: DeckyId::from_entropy([7; 16]),
        name: "decky-01".into(),
        ip: [127, 0, 0, 1].into(),
        hostname: "host".into(),
        mac: None,
        mac_vendor: None,
        domain: None,
        archetype: "linux-server".into(),
        distro: "debian".into(),
        os: "linux".into(),
        secret: PersonaSecret::new([1; 32]),
        boot_time: 0,
        accounts: Vec::new(),
        services: vec![DeckyService {
            name: "toy".into(),
            settings: BTreeMap::new(),
            transport: Transport::Tcp,
            ports: vec![Port { number: 7, reached_at: 7 }],
        }],
    }
}
