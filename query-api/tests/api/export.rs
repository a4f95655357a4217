//! Downtime as CSV.

use serde_json::Value;

use crate::support::{Answer, Fixture};

fn plant() -> Fixture {
    let plant = Fixture::new();
    plant.register(&["press-1", "%3Dweld", "paint%2C%203"], &["site"]);
    plant.report(&[
        ("press-1", 0, "RUNNING"),
        ("press-1", 10, "STOPPED"),
        ("press-1", 20, "FAULTED"),
        ("press-1", 30, "RUNNING"),
        ("press-1", 40, "IDLE"),
        ("press-1", 50, "CHANGEOVER"),
        ("press-1", 55, "STARVED"),
        ("=weld", 15, "STOPPED"),
    ]);
    let row = serde_json::json!({ "line_id": "paint, 3", "event_time": "2026-01-05T06:12:00Z", "status": "FAULTED",
        "reason_code": "-1 \"jam\"" });
    assert_eq!(plant.send("POST", "/v1/line-status", &row).status, 202);
    plant.report(&[]);
    plant
}

fn rows(answer: &Answer) -> Vec<Vec<String>> {
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let mut reader = csv::Reader::from_reader(answer.body.as_bytes());
    assert_eq!(
        reader.headers().unwrap().iter().collect::<Vec<_>>().join(","),
        "id,line_id,state,started_at,ended_at,duration_ms,statuses,class,cause,reasons,kind"
    );
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_window_is_exported_as_csv_with_the_rows_of_its_pages() {
    let plant = plant();
    let as_csv = plant.call_with("GET", "/v1/downtime", &[("accept", "text/csv")], "");
    let found = rows(&as_csv);
    assert_eq!(as_csv.header("content-disposition"), "attachment; filename=\"andon-downtime.csv\"");
    assert_eq!(as_csv.header("link"), "", "nothing is left out");
    assert!(as_csv.header("andon-as-of").ends_with('Z'));
    let shown: Vec<String> = found.iter().map(|row| row[1..].join("|")).collect();
    let wanted = [
        "press-1|closed|2026-01-05T06:10:00.000Z|2026-01-05T06:30:00.000Z|1200000|STOPPED; FAULTED|unplanned|internal||down",
        "paint, 3|open|2026-01-05T06:12:00.000Z|||FAULTED|unplanned|internal|'-1 \"jam\"|down",
        "'=weld|open|2026-01-05T06:15:00.000Z|||STOPPED|unplanned|internal||down",
        "press-1|open|2026-01-05T06:50:00.000Z|||CHANGEOVER; STARVED|planned; unplanned|none; external||down",
    ];
    assert_eq!(shown, wanted);
    let of_pages: Vec<Value> = plant.walk("/v1/downtime", 2);
    let ids: Vec<&str> = of_pages.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(found.iter().map(|row| row[0].as_str()).collect::<Vec<_>>(), ids);

    assert_eq!(
        rows(&plant.get("/v1/lines/press-1/downtime?format=csv&kind=idle"))[0][6..],
        ["IDLE", "", "none", "", "idle"]
    );
    let window = "from=2026-01-05T06:45:00Z&to=2026-01-06T00:00:00Z&line=press-1";
    let answer = plant.get(&format!("/v1/downtime?format=csv&{window}"));
    assert_eq!(rows(&answer).len(), 1);
    let name = "attachment; filename=\"andon-downtime-from-2026-01-05-to-2026-01-06.csv\"";
    assert_eq!(answer.header("content-disposition"), name);
    assert_eq!(rows(&plant.get("/v1/lines/press-1/downtime?format=csv&to=1990-01-01T00:00:00Z")).len(), 0);
    assert_eq!(plant.get("/v1/downtime?format=xml").status, 400);
    assert_eq!(plant.get("/v1/lines/nobody/downtime?format=csv").status, 404);
    let both = plant.call_with("GET", "/v1/downtime?format=json", &[("accept", "text/csv")], "");
    assert_eq!(both.header("content-type"), "application/json");
}

#[test]
fn what_an_export_leaves_out_is_linked() {
    let plant = plant();
    let whole = rows(&plant.get("/v1/downtime?format=csv"));
    for limit in 1..=5 {
        let (mut found, mut path) = (Vec::new(), format!("/v1/downtime?format=csv&limit={limit}"));
        loop {
            let answer = plant.get(&path);
            let page = rows(&answer);
            assert!(page.len() <= limit);
            found.extend(page);
            let Some(rest) = answer.header("link").strip_prefix('<') else { break };
            path = rest.strip_suffix(">; rel=\"next\"").unwrap().to_owned();
        }
        assert_eq!(found, whole, "in parts of {limit}");
    }
}

#[test]
fn an_export_longer_than_a_chunk_is_whole() {
    let plant = Fixture::new();
    plant.register(&["press-1", "weld-2"], &[]);
    for line in ["press-1", "weld-2"] {
        let changes: Vec<_> = (0..3_000)
            .map(|minute| (line, minute, if minute % 2 == 0 { "STOPPED" } else { "RUNNING" }))
            .collect();
        plant.report(&changes);
    }
    let found = rows(&plant.get("/v1/downtime?format=csv"));
    assert_eq!(found.len(), 3_000);
    assert!(found.windows(2).all(|pair| (&pair[0][3], &pair[0][1]) < (&pair[1][3], &pair[1][1])));
}
