//! Numbers for Prometheus: atomics only, with labels from sets that are fixed when it is made.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use spotpay_wire::code;
use spotpay_wire::service::Service;

/// What stands for a service or a result outside the sets.
const OTHER: &str = "other";

/// Results that are no published code: `result_code` of the answers, and what a notification
/// check says.
const RESULTS: &[&str] = &[
    "FAIL",
    "FAILED",
    "PROCESS_EXCEPTION",
    "SUCCESS",
    "UNKNOW",
    "false",
    "true",
];

/// Upper ends of the latency buckets in microseconds; the last bucket has none.
const BUCKETS_US: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000,
];

/// What is counted of requests.
#[derive(Debug)]
pub struct Metrics {
    /// Ascending; one more result, [`OTHER`], comes after them.
    results: Vec<&'static str>,
    services: Vec<ServiceMetrics>,
}

#[derive(Debug)]
struct ServiceMetrics {
    name: &'static str,
    /// One for each result, and one for the others.
    results: Vec<AtomicU64>,
    /// One for each bucket, and one for what is slower; not cumulated.
    buckets: [AtomicU64; BUCKETS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        let codes = code::ALL.iter().map(|code| code.code);
        let mut results: Vec<&'static str> = codes.chain(RESULTS.iter().copied()).collect();
        results.sort_unstable();
        results.dedup();
        let names = Service::ALL.iter().map(|service| service.as_str());
        let services = names
            .chain([OTHER])
            .map(|name| ServiceMetrics {
                name,
                results: (0..=results.len()).map(|_| AtomicU64::new(0)).collect(),
                buckets: Default::default(),
                sum_us: AtomicU64::new(0),
            })
            .collect();
        Self { results, services }
    }
}

impl Metrics {
    /// Counts an answered request: its service if it named one, its `result_code` or the gateway's
    /// code, and how long it took.
    pub fn observe(&self, service: Option<Service>, result: &str, duration_us: u64) {
        let place = |service| Service::ALL.iter().position(|known| *known == service);
        let place = service.and_then(place).unwrap_or(Service::ALL.len());
        let result = self
            .results
            .binary_search(&result)
            .unwrap_or(self.results.len());
        let bucket = BUCKETS_US.partition_point(|end| *end < duration_us);
        let Some(service) = self.services.get(place) else {
            return;
        };
        let counters = [service.results.get(result), service.buckets.get(bucket)];
        for counter in counters.into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        service.sum_us.fetch_add(duration_us, Ordering::Relaxed);
    }

    /// Everything in the text format of Prometheus, and after it the values that others keep: name,
    /// help, value. A name that ends in `_total` is a counter, another a gauge.
    pub fn render(&self, values: &[(&str, &str, u64)]) -> String {
        let mut text = String::with_capacity(4_096);
        self.render_results(&mut text);
        self.render_durations(&mut text);
        for (name, help, value) in values {
            let kind = if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            head(&mut text, name, help, kind);
            line(&mut text, format_args!("{name} {value}"));
        }
        text
    }

    fn render_results(&self, text: &mut String) {
        let name = "spotpay_requests_total";
        head(text, name, "Requests answered.", "counter");
        for service in &self.services {
            let results = self.results.iter().chain([&OTHER]);
            for (result, count) in results.zip(&service.results) {
                let count = count.load(Ordering::Relaxed);
                // Most of the several hundred pairs never happen.
                if count > 0 {
                    let service = service.name;
                    line(
                        text,
                        format_args!("{name}{{service=\"{service}\",result=\"{result}\"}} {count}"),
                    );
                }
            }
        }
    }

    fn render_durations(&self, text: &mut String) {
        let name = "spotpay_request_duration_seconds";
        let help = "From a request's arrival to its answer.";
        head(text, name, help, "histogram");
        for service in &self.services {
            let counts = service
                .buckets
                .each_ref()
                .map(|count| count.load(Ordering::Relaxed));
            // Summed from the same reads, so that the buckets and the count never disagree.
            let total: u64 = counts.iter().sum();
            if total == 0 {
                continue;
            }
            let label = service.name;
            let mut below = 0;
            for (end, count) in BUCKETS_US.iter().zip(counts) {
                below += count;
                let end = seconds(*end);
                line(
                    text,
                    format_args!("{name}_bucket{{service=\"{label}\",le=\"{end}\"}} {below}"),
                );
            }
            line(
                text,
                format_args!("{name}_bucket{{service=\"{label}\",le=\"+Inf\"}} {total}"),
            );
            let sum = seconds(service.sum_us.load(Ordering::Relaxed));
            line(
                text,
                format_args!("{name}_sum{{service=\"{label}\"}} {sum}"),
            );
            line(
                text,
                format_args!("{name}_count{{service=\"{label}\"}} {total}"),
            );
        }
    }
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    line(text, format_args!("# HELP {name} {help}"));
    line(text, format_args!("# TYPE {name} {kind}"));
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{line}");
    debug_assert!(written.is_ok(), "a String takes every write");
}

/// Microseconds as decimal seconds, exactly.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        for (micros, text) in [
            (0, "0"),
            (250, "0.00025"),
            (1_000_000, "1"),
            (2_500_000, "2.5"),
            (10_000_000, "10"),
            (u64::MAX, "18446744073709.551615"),
        ] {
            assert_eq!(seconds(micros), text);
        }
    }

    #[test]
    fn what_is_counted_is_rendered() {
        let metrics = Metrics::default();
        metrics.observe(Some(Service::Pay), "SUCCESS", 250);
        metrics.observe(Some(Service::Pay), "SUCCESS", 251);
        metrics.observe(Some(Service::Pay), "FAILED", 60_000_000);
        metrics.observe(None, "ILLEGAL_SERVICE", 90);
        metrics.observe(None, "made up", 90);
        let text = metrics.render(&[
            ("spotpay_ready", "Whether it is.", 1),
            ("spotpay_batches_total", "Batches.", 7),
        ]);
        let pay = "service=\"alipay.acquire.overseas.spot.pay\"";
        for expected in [
            format!("spotpay_requests_total{{{pay},result=\"SUCCESS\"}} 2"),
            format!("spotpay_requests_total{{{pay},result=\"FAILED\"}} 1"),
            "spotpay_requests_total{service=\"other\",result=\"ILLEGAL_SERVICE\"} 1".into(),
            "spotpay_requests_total{service=\"other\",result=\"other\"} 1".into(),
            "# TYPE spotpay_request_duration_seconds histogram".into(),
            format!("spotpay_request_duration_seconds_bucket{{{pay},le=\"0.00025\"}} 1"),
            format!("spotpay_request_duration_seconds_bucket{{{pay},le=\"0.0005\"}} 2"),
            format!("spotpay_request_duration_seconds_bucket{{{pay},le=\"10\"}} 2"),
            format!("spotpay_request_duration_seconds_bucket{{{pay},le=\"+Inf\"}} 3"),
            format!("spotpay_request_duration_seconds_sum{{{pay}}} 60.000501"),
            format!("spotpay_request_duration_seconds_count{{{pay}}} 3"),
            "# TYPE spotpay_ready gauge".into(),
            "# TYPE spotpay_batches_total counter".into(),
            "spotpay_batches_total 7".into(),
        ] {
            assert!(
                text.lines().any(|line| line == expected),
                "{expected}\n{text}"
            );
        }
        assert!(!text.contains("refund"), "what never happened is left out");
    }
}
