"""Projects with their tasks, budgets and transactions; and time spent."""

from __future__ import annotations

from typing import ClassVar

from tap_visma.kinds import Lines, Paging
from tap_visma.stream import VismaStream
from tap_visma.streams.demanding import DemandsFilter


class Projects(VismaStream):
    """Projects with their tasks; a project's number may change, its internal id does not."""

    name = "projects"
    path = "/v1/project"
    primary_keys = ("tenant_id", "company", "internalID")
    expands = ("expandAttribute",)
    is_finance = True


class ProjectsBasic(VismaStream):
    """Projects without tasks, accounts and employees: a lighter answer."""

    name = "projects_basic"
    path = "/v1/projectbasic"
    primary_keys = ("tenant_id", "company", "internalID")


class ProjectTasks(VismaStream):
    """Tasks of projects."""

    name = "project_tasks"
    path = "/v1/projecttask"
    primary_keys = ("tenant_id", "company", "internalId")
    expands = ("expandAttribute",)


class ProjectBudgets(VismaStream):
    """What projects should cost and bring in, and what they do."""

    name = "project_budgets"
    path = "/v1/projectbudget"
    # Nothing is said to be unique: a budget has one row for an item of an account group in a task.
    primary_keys = (
        "tenant_id",
        "company",
        "projectID",
        "projectTaskID",
        "accountGroupID",
        "inventory_number",
    )
    keys_from: ClassVar = {"inventory_number": ("inventoryNumber",)}
    stamp = None
    is_finance = True


class ProjectTransactions(VismaStream):
    """What was posted to projects, with lines."""

    name = "project_transactions"
    path = "/v1/projecttransaction"
    # The route of one document has the number alone; each module has numbers of its own.
    primary_keys = ("tenant_id", "company", "module", "refNbr")
    stamp = None
    expands = ("expandNote",)
    is_finance = True
    lines = Lines("lines", ("tranId",))


class ProjectAccountGroups(VismaStream):
    """Groups of accounts that projects are budgeted by."""

    name = "project_account_groups"
    path = "/v1/projectaccountgroup"
    primary_keys = ("tenant_id", "company", "accountGroupId")
    stamp = None
    expands = ("expandAttribute",)


class TimeCards(DemandsFilter):
    """Employees' weekly time cards, with lines."""

    name = "time_cards"
    path = "/v1/timeCard"
    primary_keys = ("tenant_id", "company", "refNbr")
    paging = Paging.WHOLE
    lines = Lines("summary", ("lineNumber",))


class EarningTypes(VismaStream):
    """Kinds of work time, such as overtime."""

    name = "earning_types"
    path = "/v1/earningtype"
    primary_keys = ("tenant_id", "company", "code")
    paging = Paging.WHOLE
