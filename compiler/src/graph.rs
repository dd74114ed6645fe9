//! Graph: base tables, views and tviews with typed edges between them.
//!
//! In: the tviews in the order of the file. Out: a petgraph graph, one stable topological order of the
//! tviews, and the pictures of the graph as text and as json. Cycles of views are found before, by
//! resolve, which points at them; the graph built here has none.

use std::collections::HashMap;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::document::{Dependency, DependencyKind};
use crate::emit::{change, place};
use crate::names::QualName;
use crate::plan::{Decisions, TablePlan, Tview};

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A base table.
    Table(QualName),
    /// A view that a tview is defined by or reads.
    View(QualName),
    /// A tview.
    Tview(QualName),
}

/// An edge, from what is read to what reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// A base table shows in a tview: index of the dependency in the tview's documents.
    Shows(DependencyKind, usize),
    /// A view is read by another view.
    Reads,
    /// A tview holds the rows of a view.
    Materializes,
}

/// The graph of a program.
pub struct Graph {
    inner: DiGraph<Node, Edge>,
    nodes: HashMap<Node, NodeIndex>,
}

impl Graph {
    /// Builds it.
    pub fn build(tviews: &[Tview]) -> Graph {
        let mut graph = Graph { inner: DiGraph::new(), nodes: HashMap::new() };
        for tview in tviews {
            let view = graph.node(Node::View(tview.view.name.clone()));
            let target = graph.node(Node::Tview(tview.name.clone()));
            graph.inner.add_edge(view, target, Edge::Materializes);
            // Each view is listed once, so that no edge is added twice.
            for read in &tview.view.reads_views {
                let source = graph.node(Node::View(read.clone()));
                graph.inner.add_edge(source, view, Edge::Reads);
            }
            for (index, dependency) in tview.documents.dependencies.iter().enumerate() {
                let name = tview.view.uses[dependency.use_id.0].table.clone();
                let source = graph.node(Node::Table(name));
                graph.inner.add_edge(source, target, Edge::Shows(dependency.kind, index));
            }
        }
        graph
    }

    fn node(&mut self, node: Node) -> NodeIndex {
        *self.nodes.entry(node).or_insert_with_key(|node| self.inner.add_node(node.clone()))
    }

    /// The tviews so that each comes after those whose views its own view reads; else as in the file.
    pub fn order(&self, tviews: &[Tview]) -> Vec<usize> {
        let positions: HashMap<&QualName, usize> = tviews.iter().enumerate().map(|(n, t)| (&t.view.name, n)).collect();
        let position = |name: &QualName| positions.get(name).copied();
        let mut order = Vec::new();
        let mut visited = vec![false; tviews.len()];
        for start in 0..tviews.len() {
            visit(start, tviews, &position, &mut visited, &mut order);
        }
        order
    }

    /// How many edges of each kind come from a table.
    pub fn uses_of(&self, table: &QualName) -> usize {
        let index = self.nodes.get(&Node::Table(table.clone())).copied();
        index.map_or(0, |i| self.inner.edges(i).filter(|e| matches!(e.weight(), Edge::Shows(..))).count())
    }

    /// All edges as (source, target, edge).
    pub fn edges(&self) -> impl Iterator<Item = (&Node, &Node, &Edge)> {
        self.inner.edge_references().map(|e| (&self.inner[e.source()], &self.inner[e.target()], e.weight()))
    }
}

fn visit(
    at: usize,
    tviews: &[Tview],
    position: &dyn Fn(&QualName) -> Option<usize>,
    visited: &mut [bool],
    order: &mut Vec<usize>,
) {
    if std::mem::replace(&mut visited[at], true) {
        return;
    }
    for read in tviews[at].view.reads_views.iter().filter_map(position) {
        visit(read, tviews, position, visited, order);
    }
    order.push(at);
}

/// A dependency in words: where it shows and through what.
struct Shown<'a> {
    table: &'a QualName,
    alias: &'a str,
    reads: Vec<&'a str>,
    via: Vec<String>,
}

fn shown<'a>(tview: &'a Tview, catalog: &'a Catalog, dependency: &'a Dependency) -> Shown<'a> {
    let owner = &tview.view.uses[dependency.use_id.0];
    let column = |c: crate::resolve::ColumnRef| {
        let owner = tview.view.use_of(c);
        format!("{}.{}", owner.alias, catalog.table(&owner.table).columns[c.column].name)
    };
    let table = catalog.table(&owner.table);
    let reads = tview.documents.reads.get(&dependency.use_id).into_iter().flatten();
    let linked = tview.relations.variants.iter().find(|v| v.links.of(dependency.use_id).is_some());
    let way = linked.map_or(Vec::new(), |v| v.links.way_up(dependency.use_id));
    let via = way.iter().flat_map(|l| l.on.iter().map(|p| p.text(&column)));
    Shown {
        table: &owner.table,
        alias: owner.alias.as_str(),
        reads: reads.map(|c| table.columns[*c].name.as_str()).collect(),
        via: via.collect(),
    }
}

/// The graph as it is shown.
pub struct Pictures {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
}

impl Pictures {
    /// Draws them.
    pub fn draw(
        program: &str,
        tviews: &[Tview],
        tables: &[TablePlan],
        decisions: &Decisions,
        catalog: &Catalog,
    ) -> Pictures {
        Pictures {
            text: text(tviews, tables, decisions, catalog),
            json: as_json(program, tviews, tables, decisions, catalog),
        }
    }
}

/// The graph for people: each tview with its dependencies, each table with what a write to it does.
fn text(tviews: &[Tview], tables: &[TablePlan], decisions: &Decisions, catalog: &Catalog) -> String {
    let mut out = String::new();
    for (at, tview) in tviews.iter().enumerate() {
        let key: Vec<String> = tview.key_names().iter().map(|n| n.to_string()).collect();
        out += &format!("{} <- {}\n", tview.name, tview.view.name);
        out += &format!("  key ({}): {}\n", key.join(", "), tview.relations.key.proof);
        for dependency in &tview.documents.dependencies {
            let shown = shown(tview, catalog, dependency);
            let place = place(&dependency.column, &dependency.path);
            out += &format!("  {:<13} {place} <- {} as {}\n", dependency.kind.as_str(), shown.table, shown.alias);
            out += &format!("    reads {}\n", shown.reads.join(", "));
            if !shown.via.is_empty() {
                out += &format!("    via   {}\n", shown.via.join(", "));
            }
            if let Some(key) = &dependency.match_key {
                out += &format!("    match {} ({})\n", key.field, key.proof);
            }
            let handling = decisions.of_use(at, dependency.use_id);
            let name = |c: &usize| catalog.table(shown.table).columns[*c].name.to_string();
            if let Some(patch) = handling.patch {
                let columns: Vec<String> = patch.columns.iter().map(name).collect();
                out += &format!("    patch {} ({})\n", columns.join(", "), patch.proof);
            }
            for part in handling.parts.iter().map(|p| decisions.changed(at, tview, p)) {
                let missing = part.missing.map(|missing| format!(" ({missing})")).unwrap_or_default();
                out += &format!("    {}{missing}\n", change(&part));
            }
            if handling.strategy() == "key_recompute" {
                out += &format!("    key recompute ({})\n", handling.missing.unwrap_or_default());
            }
        }
        out.push('\n');
    }
    for plan in tables {
        out += &format!("write to {}\n", plan.table);
        for step in &plan.steps {
            let tview = &tviews[step.tview];
            let mut aliases: Vec<&str> = Vec::new();
            aliases.extend(step.read_as().iter().map(|u| tview.view.uses[u.0].alias.as_str()));
            let how = step.strategies().join(" or ");
            out += &format!(
                "  {} through {}: {how}, or skip where no column read has changed\n",
                tview.name,
                aliases.join(", ")
            );
        }
    }
    out
}

/// The graph for programs.
fn as_json(program: &str, tviews: &[Tview], tables: &[TablePlan], decisions: &Decisions, catalog: &Catalog) -> Value {
    let tview_json = |(at, tview): (usize, &Tview)| {
        let dependencies: Vec<Value> = tview
            .documents
            .dependencies
            .iter()
            .map(|dependency| {
                let shown = shown(tview, catalog, dependency);
                let decision = decisions.of_use(at, dependency.use_id);
                let name = |c: &usize| catalog.table(shown.table).columns[*c].name.to_string();
                json!({
                    "table": shown.table.to_string(),
                    "alias": shown.alias,
                    "kind": dependency.kind,
                    "document": dependency.column,
                    "path": dependency.path,
                    "fk_columns": dependency.fk_columns,
                    "match_key": dependency.match_key,
                    "reads": shown.reads,
                    "via": shown.via,
                    "strategy": decision.strategy(),
                    "patched": decision.patch.map_or(Vec::new(), |p| p.columns.iter().map(name).collect()),
                    "proof": decision.patch.map(|p| p.proof.as_str()),
                    "parts": decision.parts.iter().map(|p| decisions.changed(at, tview, p)).collect::<Vec<_>>(),
                    "missing": decision.missing,
                })
            })
            .collect();
        json!({
            "name": tview.name.to_string(),
            "view": tview.view.name.to_string(),
            "reads_views": tview.view.reads_views.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "key": tview.key_names(),
            "key_proof": tview.relations.key.proof,
            "dependencies": dependencies,
        })
    };
    let table_json = |plan: &TablePlan| {
        let steps = plan.steps.iter().map(|s| tviews[s.tview].name.to_string()).collect::<Vec<_>>();
        json!({ "name": plan.table.to_string(), "writes_reach": steps })
    };
    json!({
        "program": program,
        "tviews": tviews.iter().enumerate().map(tview_json).collect::<Vec<_>>(),
        "tables": tables.iter().map(table_json).collect::<Vec<_>>(),
    })
}
