//! What stands beside the gateway and the sandbox API.

use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::world::World;

/// Status, Content-Type and text of a page.
async fn page(world: &World, path: &str) -> (u16, String, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let kind = kind.map_or("", |kind| kind.to_str().unwrap()).to_owned();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, kind, String::from_utf8(bytes.to_vec()).unwrap())
}

// Goal: `contract.md`: a front page that leads to everything else, health, readiness and numbers
// for Prometheus, which count the requests and show no secret.
#[tokio::test]
async fn pages() {
    let world = World::start().await;
    world
        .check(
            "
        pay tea-house N1 alice 10.00 -> SUCCESS
        pay tea-house N2 alice 10.00 -> SUCCESS
        pay tea-house N3 poor 10.00 -> FAILED:BUYER_BALANCE_NOT_ENOUGH
        query tea-house N1 -> SUCCESS
        ",
        )
        .await;
    let (status, kind, front) = page(&world, "/").await;
    assert_eq!((status, kind.starts_with("text/html")), (200, true));
    for link in ["/gateway.do", "/sandbox/v1", "/healthz", "/metrics"] {
        assert!(front.contains(link), "{link}: {front}");
    }
    assert_eq!(page(&world, "/healthz").await.0, 200);
    assert_eq!(page(&world, "/readyz").await.0, 200);
    let (status, kind, metrics) = page(&world, "/metrics").await;
    assert_eq!((status, kind.starts_with("text/plain")), (200, true));
    let mut lines = metrics.lines();
    let counted = lines.any(|line| {
        line.contains("alipay.acquire.overseas.spot.pay")
            && line.contains("SUCCESS")
            && line.ends_with(" 2")
    });
    assert!(counted, "{metrics}");
    assert!(metrics.contains("spotpay_ready 1"), "{metrics}");
    let key = world.till("tea-house").await.partner;
    assert!(!metrics.contains(&key) && !metrics.contains("key0for0the0sandbox"));
    assert_eq!(page(&world, "/nothing").await.0, 404);
}
