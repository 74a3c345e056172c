//! News: feeds in RSS 2.0 and Atom 1.0, single articles, a search.

use chrono::DateTime;
use serde_json::{Value, json};

use super::{
    PeopleFluent,
    functions::Call,
    held::text,
    query::refused,
    reply::{Answer, Reply, plain, write},
    xml::timestamp,
};
use crate::seed::HISTORY_END_MS;

/// One of a feed.
pub(super) struct Entry<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub summary: &'a str,
    pub content: &'a str,
    pub category: &'a str,
    pub author: &'a str,
    pub published: i64,
}

impl<'a> Entry<'a> {
    pub(super) fn of(thing: &'a Value) -> Self {
        Self {
            id: text(thing, "id"),
            title: text(thing, "title"),
            summary: text(thing, "summary"),
            content: text(thing, "content"),
            category: text(thing, "categoryId"),
            author: text(thing, "author"),
            published: thing["_published"].as_i64().unwrap_or_default(),
        }
    }

    fn link(&self, system: &PeopleFluent, function: &str) -> String {
        format!("{}/api/{function}?id={}", system.base_url, self.id)
    }

    fn item(&self, system: &PeopleFluent, function: &str, full: bool) -> Value {
        let link = self.link(system, function);
        let date = DateTime::from_timestamp_millis(self.published).unwrap_or_default().to_rfc2822();
        json!({"title": self.title, "link": link, "guid": {"@isPermaLink": "false", "#text": self.id}, "pubDate": date,
            "description": if full { self.content } else { self.summary }, "category": self.category, "author": self.author})
    }

    fn entry(&self, system: &PeopleFluent, function: &str) -> Value {
        let date = timestamp(self.published, 0);
        json!({"id": self.id, "title": self.title, "link": {"@href": self.link(system, function)}, "published": date,
            "updated": date, "summary": self.summary, "content": self.content, "category": {"@term": self.category},
            "author": {"name": self.author}})
    }
}

/// A feed of entries in the form asked for: `atom`, or RSS of whole texts unless it is `rssteasers`.
pub(super) fn feed<'a>(
    system: &PeopleFluent,
    format: &str,
    function: &str,
    entries: impl Iterator<Item = Entry<'a>>,
) -> Reply {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if format == "atom" {
        let entries: Vec<Value> = entries.map(|entry| entry.entry(system, function)).collect();
        let feed = json!({"@xmlns": "http://www.w3.org/2005/Atom", "id": system.base_url, "title": "LMS",
            "updated": timestamp(HISTORY_END_MS, 0), "entry": entries});
        write(&mut out, "feed", &feed);
        return Reply::Text("application/atom+xml;charset=UTF-8", out);
    }
    let items: Vec<Value> = entries.map(|entry| entry.item(system, function, format != "rssteasers")).collect();
    let channel = json!({"title": "LMS", "link": system.base_url, "description": "LMS", "item": items});
    write(&mut out, "rss", &json!({"@version": "2.0", "channel": channel}));
    Reply::Text("application/rss+xml;charset=UTF-8", out)
}

fn articles_of(call: &Call<'_>, public: bool) -> Answer {
    let wanted = call.given.get("categoryId");
    let articles = call.held.shelf("articles").filter(|article| {
        article["expires"].is_null()
            && (!public || article["_public"] == true)
            && wanted.is_none_or(|category| text(article, "categoryId") == category)
    });
    Ok(feed(call.system, call.given.text("format"), "article", articles.map(Entry::of)))
}

pub(super) fn public(call: &mut Call<'_>) -> Answer {
    articles_of(call, true)
}

pub(super) fn of_user(call: &mut Call<'_>) -> Answer {
    articles_of(call, false)
}

pub(super) fn article(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let article = call.held.get("articles", id).ok_or_else(|| refused(&format!("No such article: {id}")))?;
    let mut entry = Entry::of(article).entry(call.system, "article");
    entry["@xmlns"] = "http://www.w3.org/2005/Atom".into();
    Ok(Reply::One("entry", entry))
}

pub(super) fn articles(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let (after, before) = (given.time("publishedAfter"), given.time("publishedBefore"));
    let found = call.held.shelf("articles").filter(|article| {
        let published = article["_published"].as_i64().unwrap_or_default();
        (given.is_true("includeExpired") || article["expires"].is_null())
            && after.is_none_or(|after| published > after)
            && before.is_none_or(|before| published < before)
            && given.get("categoryId").is_none_or(|category| text(article, "categoryId") == category)
            && given.finds(&format!("{} {}", plain(&article["title"]), plain(&article["content"])))
    });
    Ok(Reply::Many("articles", "article", found.take(given.max()).cloned().collect()))
}
