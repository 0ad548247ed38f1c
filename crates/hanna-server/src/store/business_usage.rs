//! What happened at branches, put together by entity: pure, for both stores.

use hanna_wire::admin::business::{BranchUsage, EntityUsage, UsageCounts};
use hanna_wire::me::{Branch, Entity};

/// One row: an entity, how many different people used the benefit at it, and one of its branches, if it has any.
pub type UsageLine = (Entity, u64, Option<(Branch, UsageCounts)>);

/// Puts the lines together, those of one entity beside each other.
pub fn by_entity(lines: Vec<UsageLine>) -> Vec<EntityUsage> {
    let mut items: Vec<EntityUsage> = Vec::new();
    for (entity, people, branch) in lines {
        if items.last().is_none_or(|item| item.entity.id != entity.id) {
            let total = UsageCounts { people, ..UsageCounts::default() };
            items.push(EntityUsage { entity, total, branches: Vec::new() });
        }
        if let (Some(item), Some((branch, counts))) = (items.last_mut(), branch) {
            item.total.lookups += counts.lookups;
            item.total.uses += counts.uses;
            item.total.voided += counts.voided;
            item.branches.push(BranchUsage { branch, counts });
        }
    }
    items
}
