//! The calls of an entity's administrators over HTTP.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hanna_wire::application::{
    ApplicationRequest, ApplicationRequests, Attachment, CorrectApplication, FILE_NAME_HEADER,
    SubmitApplication, file_name_header,
};
use hanna_wire::entity_users::{ChangeUser, EntityBranches, EntityUser, EntityUsers, InviteUser, UserQuery};
use hanna_wire::path;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::CONTENT_TYPE;
use uuid::Uuid;

use super::http::{Http, Transport};
use super::{AccessToken, Administration, Answered, Failure, Upload};

/// How long a file may take: 5 MiB at 150 kbit/s.
const UPLOAD_PATIENCE: Duration = Duration::from_mins(5);

/// How many requests are asked for: an entity has one or two.
const REQUESTS_ASKED: u32 = 20;

/// How much of a file is told at once.
const PIECE_BYTES: usize = 64 * 1024;

#[async_trait]
impl<T: Transport> Administration for Http<T> {
    async fn attach(&self, token: &AccessToken, upload: Upload) -> Result<Answered<Attachment>, Failure> {
        let request = self
            .client
            .put(self.url(&path::with_id(path::ATTACHMENT, upload.id)))
            .bearer_auth(token.expose())
            .header(CONTENT_TYPE, upload.media_type.code())
            .header(FILE_NAME_HEADER, file_name_header(&upload.file_name))
            .timeout(UPLOAD_PATIENCE)
            .body(reqwest::Body::wrap(Told::new(upload)));
        self.json(request).await
    }

    async fn application_requests(
        &self,
        token: &AccessToken,
    ) -> Result<Answered<ApplicationRequests>, Failure> {
        let call = self.client.get(self.url(path::APPLICATION_REQUESTS)).bearer_auth(token.expose());
        self.json(call.query(&[("limit", REQUESTS_ASKED)])).await
    }

    async fn submit_application(
        &self,
        token: &AccessToken,
        request: &SubmitApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        let call = self.client.post(self.url(path::APPLICATION_REQUESTS)).bearer_auth(token.expose());
        self.json(call.json(request)).await
    }

    async fn correct_application(
        &self,
        token: &AccessToken,
        id: Uuid,
        request: &CorrectApplication,
    ) -> Result<Answered<ApplicationRequest>, Failure> {
        let url = self.url(&path::with_id(path::APPLICATION_REQUEST, id));
        self.json(self.client.put(url).bearer_auth(token.expose()).json(request)).await
    }

    async fn entity_users(
        &self,
        token: &AccessToken,
        query: &UserQuery,
    ) -> Result<Answered<EntityUsers>, Failure> {
        let call = self.client.get(self.url(path::ENTITY_USERS)).bearer_auth(token.expose());
        self.json(call.query(query)).await
    }

    async fn entity_branches(&self, token: &AccessToken) -> Result<Answered<EntityBranches>, Failure> {
        self.json(self.client.get(self.url(path::ENTITY_BRANCHES)).bearer_auth(token.expose())).await
    }

    async fn invite_user(
        &self,
        token: &AccessToken,
        request: &InviteUser,
    ) -> Result<Answered<EntityUser>, Failure> {
        let call = self.client.post(self.url(path::ENTITY_USERS)).bearer_auth(token.expose());
        self.json(call.json(request)).await
    }

    async fn change_user(
        &self,
        token: &AccessToken,
        id: Uuid,
        change: &ChangeUser,
    ) -> Result<Answered<EntityUser>, Failure> {
        let url = self.url(&path::with_id(path::ENTITY_USER, id));
        self.json(self.client.patch(url).bearer_auth(token.expose()).json(change)).await
    }

    async fn reset_user(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure> {
        let url = self.url(&path::with_id(path::ENTITY_USER_RESET, id));
        self.done(self.client.post(url).bearer_auth(token.expose())).await
    }

    async fn invite_again(&self, token: &AccessToken, id: Uuid) -> Result<Answered<()>, Failure> {
        let url = self.url(&path::with_id(path::ENTITY_USER_INVITATION, id));
        self.done(self.client.post(url).bearer_auth(token.expose())).await
    }
}

/// The bytes of a file on their way, a piece at a time; each piece that the connection takes is told.
struct Told {
    left: Bytes,
    size: usize,
    tell: Arc<dyn Fn(u64) + Send + Sync>,
}

impl Told {
    fn new(upload: Upload) -> Self {
        Self { size: upload.bytes.len(), left: upload.bytes, tell: upload.tell }
    }
}

impl Body for Told {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let piece_bytes = PIECE_BYTES.min(self.left.len());
        let piece = self.left.split_to(piece_bytes);
        (self.tell)((self.size - self.left.len()) as u64);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    // Its length is known beforehand: the server refuses what is too long before it is sent.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_file_goes_in_pieces_and_each_is_told() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&told);
        let size = 2 * PIECE_BYTES + 7;
        let bytes: Vec<u8> = (0..=250).cycle().take(size).collect();
        let mut body = Told {
            left: bytes.clone().into(),
            size,
            tell: Arc::new(move |sent| noted.lock().expect("alone").push(sent)),
        };
        assert_eq!(body.size_hint().exact(), Some(size as u64));
        let mut arrived = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) =
            Pin::new(&mut body).poll_frame(&mut Context::from_waker(Waker::noop()))
        {
            arrived.extend_from_slice(frame.data_ref().expect("bytes"));
        }
        assert_eq!(arrived, bytes);
        assert!(body.is_end_stream());
        let piece = PIECE_BYTES as u64;
        assert_eq!(*told.lock().expect("alone"), [piece, 2 * piece, size as u64]);
    }
}
