//! Handing out captured files: as downloads that no browser shows or runs.

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use base_model::Sha256Digest;
use futures_util::stream;
use store_db::AuditEntry;
use tokio::io::AsyncReadExt as _;
use utoipa_axum::routes;

use crate::access::{Access, Caller, Role, Routes};
use crate::api::Shared;
use crate::auth::routes::entry;
use crate::guard::Client;
use crate::names;
use crate::params::{Named, Params};
use crate::problem::Problem;

/// Services that capture files.
const SERVICES: [&str; 9] =
    ["ssh", "smtp", "smtp_relay", "telnet", "ftp", "http", "mysql", "postgres", "redis"];
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

pub(crate) fn add(routes: &mut Routes) {
    routes.add(Access::Role(Role::Admin), routes!(download_artifact));
}

/// The bytes of a captured file.
#[utoipa::path(
    get,
    path = "/api/v1/artifacts/{decky}/{stored_as}",
    tag = "artifacts",
    params(
        ("decky" = String, Path, description = "The decky's name"),
        ("stored_as" = String, Path, description = "`stored_as` of the `file_captured` event"),
        ("service" = Option<String>, Query, description = "Over which service it came (`ssh`)"),
    ),
    responses((
        status = 200,
        description = "The bytes",
        body = Vec<u8>,
        content_type = "application/octet-stream"
    ))
)]
async fn download_artifact(
    State(api): State<Shared>,
    from: Client,
    caller: Caller,
    Named((decky, stored_as)): Named<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let service = params.raw("service").unwrap_or("ssh");
    let invalid = |detail| Problem::new(StatusCode::BAD_REQUEST, "invalid_name", detail);
    if !SERVICES.contains(&service) {
        return Err(invalid("Invalid service"));
    }
    if !names::is_decky(&decky) {
        return Err(invalid("Invalid decky name"));
    }
    if !names::is_stored_as(&stored_as) {
        return Err(invalid("Invalid artifact name"));
    }
    let missing = || Problem::not_found("Artifact not found");
    let row = api.db.artifacts().find(&decky, service, &stored_as).await?.ok_or_else(missing)?;
    let digest: Sha256Digest = row
        .sha256
        .parse()
        .map_err(|error| Problem::internal("an artifact's digest is damaged", &error))?;
    let blobs = api.blobs.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let file = blobs.get(digest)?;
        let size = file.metadata()?.len();
        Ok::<_, std::io::Error>((file, size))
    });
    let opened = opened.await.map_err(|error| Problem::internal("a read ended early", &error))?;
    let (file, size) = match opened {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(Problem::internal("an artifact cannot be read", &error)),
    };
    let target = Some(format!("{decky}/{service}/{stored_as}"));
    let row = AuditEntry { target, ..entry(&caller, from, "artifact_download", true) };
    api.audit(row).await?;
    Ok((attachment("application/octet-stream", &stored_as, Some(size)), bytes_of(file))
        .into_response())
}

/// The headers of a download called `name`, which must be harmless in a quoted string.
pub(crate) fn attachment(media_type: &'static str, name: &str, size: Option<u64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}\""));
    let disposition = disposition.unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    if let Some(size) = size {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    }
    headers
}

fn bytes_of(file: std::fs::File) -> Body {
    let file = tokio::fs::File::from_std(file);
    Body::from_stream(stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK];
        let read = file.read(&mut chunk).await?;
        chunk.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(chunk), file)))
    }))
}
