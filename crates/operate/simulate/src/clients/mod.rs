//! Protocol clients, each as small as its scenarios allow.
//!
//! [`perform`] carries one act out. Everything read is bounded and every wait has a deadline
//! ([`wire`]): what answers may be anything.

mod fault;
mod ftp;
mod http;
mod mysql;
mod postgres;
mod redis;
mod scram;
mod smtp;
mod ssh;
mod telnet;
mod visitor;
mod wire;

use std::future::Future;
use std::pin::Pin;

use tokio::task::JoinSet;

use crate::plan::Act;

pub use fault::Fault;
pub(crate) use visitor::Visitor;

/// Carries `act` out. What goes wrong is told to the visitor's listener and ends this act alone.
pub(crate) fn perform(visitor: Visitor, act: Act) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let done = match &act {
            Act::Pause(ms) => {
                visitor.pause(*ms).await;
                Ok(())
            }
            Act::Together(acts) => {
                // Dropped with its tasks when the actor is ended.
                let mut all = JoinSet::new();
                for act in acts {
                    all.spawn(perform(visitor.clone(), act.clone()));
                }
                while all.join_next().await.is_some() {}
                Ok(())
            }
            Act::Knock(door) => visitor.knock(door).await,
            Act::Ssh(visit) => ssh::visit(&visitor, visit).await,
            Act::Telnet(visit) => telnet::visit(&visitor, visit).await,
            Act::Ftp(visit) => ftp::visit(&visitor, visit).await,
            Act::Smtp(visit) => smtp::visit(&visitor, visit).await,
            Act::Http(visit) => http::visit(&visitor, visit).await,
            Act::Redis(visit) => redis::visit(&visitor, visit).await,
            Act::Mysql(visit) => mysql::visit(&visitor, visit).await,
            Act::Postgres(visit) => postgres::visit(&visitor, visit).await,
        };
        if let Err(fault) = done {
            visitor.failed(fault).await;
        }
    })
}
