//! The functions of the Legacy API: name, method, who may call, parameters, and what does the work.
//!
//! Names, parameters and who may call are the vendor's; methods and paths are where the vendor's client libraries call
//! the functions they know, and the same rule for the others. The four bulk reads are routed on their own.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, Request, State},
    http::{Method, StatusCode},
    response::Response,
};

use super::{
    BASE_PATH, PeopleFluent,
    admission::Caller,
    career, catalogue, community, enrolment, exams, external,
    given::Given,
    groups,
    held::Held,
    loaders, news, organisations, packages,
    page::{self, Refused},
    people,
    reply::Answer,
    reports, requests, resources, training,
};

/// Who may call a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Auth {
    /// Anybody; credentials are not looked at.
    None,
    /// Anybody; who sends credentials is answered by them.
    Optional,
    /// An account of the LMS.
    User,
    /// Whoever has the site's key.
    Site,
}

/// A call that was let in and checked.
pub(super) struct Call<'a> {
    pub system: &'a PeopleFluent,
    pub held: &'a mut Held,
    pub given: &'a Given,
    /// Who calls; empty when nobody says so.
    pub caller: &'a str,
    /// For whom.
    pub user: &'a str,
}

type Work = fn(&mut Call<'_>) -> Answer;

struct Function {
    name: &'static str,
    method: Method,
    auth: Auth,
    rules: &'static str,
    work: Work,
}

const fn get(name: &'static str, auth: Auth, rules: &'static str, work: Work) -> Function {
    Function { name, method: Method::GET, auth, rules, work }
}

const fn post(name: &'static str, rules: &'static str, work: Work) -> Function {
    Function { name, method: Method::POST, auth: Auth::User, rules, work }
}

const EXTERNAL: &str = "title* type subject startDate*:date endDate*:date venue language* durationAmount:number \
    durationUnit*=hour|day|week|month|year costAmount:number costCurrency* grade score vendor comments attachment:file \
    status*=openForEditing|pendingApproval|completed|cancelled +F +A +B";
const EXTERNAL_CHANGED: &str = "id* title* type subject startDate*:date endDate*:date venue language* \
    durationAmount:number durationUnit*=hour|day|week|month|year costAmount:number costCurrency* grade score vendor \
    comments attachment:file status*=openForEditing|pendingApproval|completed|cancelled +F +A +B";
const FEED: &str = "format*=rssteasers|rssfull|atom categoryId";
const MEMBER: &str = "group-name* user-id targetAssignmentId targetAssignmentCode +A +B";

static FUNCTIONS: &[Function] = &[
    get("publicNews", Auth::None, FEED, news::public),
    get("userNews", Auth::User, "format*=rssteasers|rssfull|atom categoryId +A +B", news::of_user),
    get("article", Auth::None, "id*", news::article),
    get(
        "articles",
        Auth::User,
        "+F keywords publishedAfter:time publishedBefore:time categoryId includeExpired:bool max:int +A +B",
        news::articles,
    ),
    get("enrollments", Auth::User, "+A +B", training::active),
    post(
        "programModuleEnroller",
        "programSessionEnrollmentId* moduleId* moduleSessionId moduleSessionCode +F +A +B",
        enrolment::add_module,
    ),
    get("records", Auth::User, "+A +B", training::records),
    get("record", Auth::User, "id* +F +A +B", training::record),
    get("externalTrainingRequests", Auth::User, "+F +A +B", external::requests),
    get("externalTrainingRecords", Auth::User, "+F +A +B", external::records),
    get("externalTrainingRecord", Auth::User, "id* +F +A +B", external::record),
    post("externalRecordAdder", EXTERNAL, external::add),
    post("externalRecordUpdater", EXTERNAL_CHANGED, external::update),
    post("externalRecordDeleter", "id* +F +A +B", external::delete),
    get("learningPath", Auth::User, "+F +A +B", career::learning_path),
    post("enrollUser", "learning-id* session-code reason preferredLocation +A +B", enrolment::enrol),
    get("enrollmentRequests", Auth::User, "inbox:bool since:time filter +F +A +B", requests::enrolments),
    post(
        "enrollmentRequestApprover",
        "request-id* step-id* comments cost-center email +F +A +B",
        requests::approve_enrolment,
    ),
    post("enrollmentRequestDenier", "request-id* step-id* comments +F +A +B", requests::deny_enrolment),
    get("taskApproval", Auth::User, "status*=all|pending|approved +F +A +B", requests::tasks),
    post("taskApprover", "taskId* +F +A +B", requests::approve_task),
    get("contentPackage", Auth::User, "enrollmentId* pdfToHtml:bool +A +B", packages::download),
    post("launchTracker", "enrollmentId* datetime*:time allowNewAttempt:bool +F +A +B", enrolment::launch),
    get("hacpInfo", Auth::User, "enrollmentId* itemId* +F +A +B", enrolment::hacp),
    post("overallStatusChanger", "enrollmentId* status* simpleResponse:bool +F +A +B", enrolment::change_status),
    get("supervisorAssessments", Auth::User, "+F +A +B", exams::supervisor_assessments),
    get("supervisorAssessment", Auth::User, "id* +A +B", exams::supervisor_assessment),
    get("withdrawalRequests", Auth::User, "inbox:bool since:time filter +F +A +B", requests::withdrawals),
    post("withdrawalRequestApprover", "request-id* comments +F +A +B", requests::approve_withdrawal),
    post("withdrawalRequestDenier", "request-id* comments +F +A +B", requests::deny_withdrawal),
    post(
        "participantSubstituter",
        "enrollmentId* targetUserId targetAssignmentId notifications:bool +F +A +B",
        enrolment::substitute,
    ),
    get("catalog", Auth::Optional, "id* +A +B", catalogue::catalog),
    get("module", Auth::Optional, "id* +A +B", catalogue::module),
    get(
        "modules",
        Auth::Optional,
        "sort*=relevance|created format*=xml|rss|atom keywords sessionOnOrAfter:date sessionBefore:date max:int +A +B",
        catalogue::modules,
    ),
    get("preloadModules", Auth::Optional, "+B", catalogue::preload),
    get("facility", Auth::User, "id* +F +B", resources::facility),
    get("resources", Auth::Optional, "+F keywords max:int +A +B", resources::resources),
    get("resource", Auth::Optional, "url* +A +B", resources::resource),
    get("participants", Auth::User, "moduleId* sessionId* +F +A +B", enrolment::participants),
    post("contentPackageImporter", "package*:file versioning* +F +A +B", packages::import),
    get("competencies", Auth::User, "+F keywords max:int +A +B", career::competencies),
    get("competency", Auth::User, "id* +F +B", career::competency),
    get("jobProfiles", Auth::User, "groupBy*=catalog|none +F keywords max:int +A +B", career::job_profiles),
    get("trainingPlan", Auth::User, "+A +B", career::training_plan),
    get("assignedJobProfiles", Auth::User, "+F +A +B", career::assigned),
    get("competencyCompletionStatus", Auth::User, "+A +B", career::completion),
    get("certificationsAwarded", Auth::User, "+A +B", career::certifications),
    get("certificate", Auth::User, "awardId* +A +B", career::certificate),
    get("competenciesAwarded", Auth::User, "+F +A +B", career::awarded),
    post("jobProfileAssigner", "profileId* userId targetAssignmentId +F +A +B", career::assign),
    post("jobProfileUnassigner", "profileId* userId targetAssignmentId +F +A +B", career::unassign),
    get("userJobProfilePath", Auth::User, "+A +B", career::path),
    get("mailbox", Auth::User, "+F +A +B", community::mailbox),
    get("message", Auth::User, "id* +F +A +B", community::message),
    post("messageUpdater", "id* +F +A +B", community::mark_read),
    get("latestForumPosts", Auth::User, "format*=rss|atom max:int +A +B", community::posts),
    get("assignments", Auth::User, "+F +B", people::assignments),
    get("people", Auth::User, "+F keywords id first last max:int +A +B", people::people),
    get("directReports", Auth::User, "+F +A +B", people::direct_reports),
    get("me", Auth::User, "+F +A +B", people::me),
    get(
        "recentActivity",
        Auth::User,
        "activityType* +F userId startDate:time endDate:time max:int +A +B",
        community::activity,
    ),
    get("users", Auth::User, "+F userId organizationId email +A +B", people::users),
    get("organization", Auth::User, "id* +F recursive:bool +A +B", organisations::organisation),
    post("userGroupCreator", "group-name* shared:bool +F +A +B", groups::create),
    post("userGroupDeleter", "group-name* +F +A +B", groups::delete),
    post("userGroupAdder", MEMBER, groups::add),
    post("userGroupRemover", MEMBER, groups::remove),
    post("supervisedGroupsAdder", MEMBER, groups::supervise),
    post("supervisedGroupsRemover", MEMBER, groups::stop_supervising),
    post("assessmentAttemptHandler", "attempt* +A +B", exams::attempt),
    get("assessmentAttemptSummary", Auth::User, "id* +F +B", exams::summary),
    get("batchReports", Auth::User, "+F name createdOnOrAfter:time createdBefore:time +A +B", reports::list),
    get("batchReport", Auth::User, "pathname* +A +B", reports::content),
];

/// Content handlers: name, media types they take, work.
type Handler = (&'static str, &'static [&'static str], Work);

const CSV: &[&str] = &["text/plain", "text/csv"];
const XML: &[&str] = &["application/xml", "text/xml"];

static HANDLERS: [Handler; 5] = [
    ("trainingHistoryCsv", CSV, loaders::training::load),
    ("externalTrainingCsv", CSV, loaders::external::load),
    ("usersCsv", CSV, loaders::users::load),
    ("courses", XML, loaders::courses::load),
    ("imsEnterprise", XML, loaders::enterprise::load),
];

fn function(path: &str) -> Option<&'static Function> {
    let name = path.strip_prefix(BASE_PATH)?.strip_prefix("/api/")?;
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Who may call what is at a path. The bulk reads and content handlers, and what is nowhere, want the site's key.
pub(super) fn auth(path: &str) -> Auth {
    function(path).map_or(Auth::Site, |function| function.auth)
}

/// The name of the function or handler at a path.
pub(super) fn named(path: &str) -> Option<&'static str> {
    let handler = path.strip_prefix(BASE_PATH).and_then(|path| path.strip_prefix("/contentHandler/"));
    let handler = handler.and_then(|name| HANDLERS.iter().find(|(known, ..)| *known == name));
    function(path).map(|function| function.name).or(handler.map(|(name, ..)| *name))
}

pub(super) async fn call(
    State(system): State<Arc<PeopleFluent>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Response {
    let Some(function) = function(request.uri().path()) else {
        return page::unknown_path(request.uri().clone()).await;
    };
    if *request.method() != function.method {
        return page::wrong_method().await;
    }
    let given = match Given::of(request).await {
        Ok(given) => given,
        Err(refused) => return refused.page(),
    };
    match system.carry_out(function, &caller, &given) {
        Ok(reply) => reply.response(given.get("format")),
        Err(refused) => refused.page(),
    }
}

pub(super) async fn handle(
    State(system): State<Arc<PeopleFluent>>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some((_, kinds, work)) = HANDLERS.iter().find(|(known, ..)| *known == name) else {
        return page::unknown_path(request.uri().clone()).await;
    };
    let given = match Given::of(request).await {
        Ok(given) => given,
        Err(refused) => return refused.page(),
    };
    if !kinds.contains(&given.kind.as_str()) {
        let said = format!("The handler {name} takes {}, not {}", kinds.join(" or "), given.kind);
        return page::error(StatusCode::UNSUPPORTED_MEDIA_TYPE, &said);
    }
    let mut held = system.held();
    let done = work(&mut Call { system: &system, held: &mut held, given: &given, caller: "", user: "" });
    match done {
        Ok(reply) => reply.response(None),
        Err(refused) => refused.page(),
    }
}

impl PeopleFluent {
    fn carry_out(&self, function: &Function, caller: &Caller, given: &Given) -> Answer {
        given.check(function.rules)?;
        let mut held = self.held();
        let caller = match caller {
            Caller::User(id) => id.as_str(),
            Caller::Nobody | Caller::Site => "",
        };
        let user = match (caller, given.get("onBehalfOf")) {
            ("", Some(_)) => return Err(Refused(StatusCode::FORBIDDEN, "onBehalfOf needs an account".to_owned())),
            (caller, whom) => self.on_behalf_of(&held, caller, whom)?,
        };
        people::check_assignment(&user, given.get("assignmentId"))?;
        (function.work)(&mut Call { system: self, held: &mut held, given, caller, user: &user })
    }
}
