//! BuildKit asks now and then whether anybody is there.

use bollard::health::health_check_response::ServingStatus;
use bollard::health::health_server::Health;
use bollard::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use futures_util::stream::{self, Once};
use std::future::Ready;
use tonic::{Request, Response, Status};

/// Somebody is there as long as there is an answer.
pub(super) struct Alive;

const SERVING: HealthCheckResponse = HealthCheckResponse {
    status: ServingStatus::Serving as i32,
};

#[tonic::async_trait]
impl Health for Alive {
    type WatchStream = Once<Ready<Result<HealthCheckResponse, Status>>>;

    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        Ok(Response::new(SERVING))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let statuses = [(String::new(), SERVING)].into();
        Ok(Response::new(HealthListResponse { statuses }))
    }

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let serving = std::future::ready(Ok(SERVING));
        Ok(Response::new(stream::once(serving)))
    }
}
