/*
 * The Host Networking Service, as far as hostgw asks it: it keeps the documents that it is given and gives them back with what it adds.
 * On Windows a library of its own, computenetwork.dll, that tells the other one of the interface that an attached endpoint becomes.
 * Once it is loaded, more lines are understood:
 *
 *   hcn-endpoint DOCUMENT   a pod's endpoint in the first network, as a CNI plugin makes it
 *   hcn-endpoints           a question: their policies, a line each
 *   hcn-forget              what restarting the service may do: everything is gone, and the host's end of the network with it
 *   hcn-answer open|attach|modify CODE COUNT   what it answers the next times, in hexadecimal, instead of doing it
 *   hcn-refuse COUNT        the service does not run the next times it is asked for a list
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "types.h"
#include "threads.h" /* after winsock2.h */
#include "turned.h"

#ifdef _WIN32
#include <objbase.h>
__declspec(dllimport) void StandInCommand(const char *line, char *reply, int size);
__declspec(dllimport) void StandInMoreCommands(int (*run)(const char *line, char *reply, int size));
#define allocate CoTaskMemAlloc
#else
typedef uint32_t HRESULT;
typedef WCHAR *PWSTR;
typedef const WCHAR *PCWSTR;
typedef struct { uint32_t Data1; uint16_t Data2, Data3; uint8_t Data4[8]; } GUID;
typedef const GUID *REFGUID;
void StandInCommand(const char *line, char *reply, int size);
void StandInMoreCommands(int (*run)(const char *line, char *reply, int size));
#define allocate malloc
#endif

#define MAX_OBJECTS 32
#define MAX_JSON 2000
#define HOST_NAMESPACE "00000000-0000-0000-0000-0000000000aa"
#define HCN_E_NOT_FOUND 0x803B0001u
#define HCN_E_REFUSED 0x803B0013u
#define SERVER_UNAVAILABLE 0x800706BAu

enum { NETWORK, ENDPOINT, DELETED };
/* Policies of an endpoint are kept apart, for they change. */
typedef struct { int kind; char id[40], parent[40], json[MAX_JSON], policies[MAX_JSON]; int attached; } object_t;
static object_t objects[MAX_OBJECTS];
static int object_count, refusals;
static lock_t service = LOCK_INIT;

static void narrow(PCWSTR from, char *to, int size) {
  int i = 0;
  for (; from[i] && i < size - 1; i++)
    to[i] = (char)from[i];
  to[i] = 0;
}

static PWSTR widen(const char *from) {
  size_t length = strlen(from);
  PWSTR to = allocate((length + 1) * sizeof *to);
  for (size_t i = 0; i <= length; i++)
    to[i] = (UCHAR)from[i];
  return to;
}

static void show_id(REFGUID g, char *text) {
  sprintf(text, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", (unsigned)g->Data1, g->Data2, g->Data3, g->Data4[0], g->Data4[1], g->Data4[2], g->Data4[3],
          g->Data4[4], g->Data4[5], g->Data4[6], g->Data4[7]);
}

/* The value of a string member, wherever it is. */
static void member(const char *json, const char *name, char *value, int size) {
  char key[64];
  snprintf(key, sizeof key, "\"%s\":\"", name);
  const char *at = strstr(json, key);
  value[0] = 0;
  if (at) {
    snprintf(value, size, "%s", at + strlen(key));
    value[strcspn(value, "\"")] = 0;
  }
}

/* Where what begins at a brace or bracket ends. No document here has one inside a string. */
static const char *end_of(const char *at) {
  int depth = 0;
  do
    depth += *at == '{' || *at == '[' ? 1 : *at == '}' || *at == ']' ? -1 : 0;
  while (*at++ && depth);
  return at;
}

/* The inside of a document's list of policies. */
static void list_policies(const char *json, char *list) {
  const char *at = strstr(json, "\"Policies\":[");
  list[0] = 0;
  if (at) {
    at += strlen("\"Policies\":");
    sprintf(list, "%.*s", (int)(end_of(at) - at) - 2, at + 1);
  }
}

/* Those of the types that are new take the place of the old ones. */
static void update_policies(object_t *endpoint, const char *json) {
  char fresh[MAX_JSON], kept[2 * MAX_JSON] = "", type[40], key[60];
  list_policies(json, fresh);
  for (const char *at = endpoint->policies, *end; *at; at = *end == ',' ? end + 1 : end) {
    end = end_of(at);
    member(at, "Type", type, sizeof type);
    snprintf(key, sizeof key, "\"Type\":\"%s\"", type);
    if (!strstr(fresh, key) && !turned("hns-nat"))
      sprintf(kept + strlen(kept), "%.*s,", (int)(end - at), at);
  }
  memcpy(endpoint->policies, strcat(kept, fresh), MAX_JSON - 1);
}

static HRESULT enumerate(int kind, PWSTR *answer, PWSTR *error) {
  char list[MAX_OBJECTS * 50] = "[";
  *error = *answer = 0;
  lock(&service);
  if (refusals > 0) {
    refusals--;
    unlock(&service);
    return SERVER_UNAVAILABLE;
  }
  for (int i = 0; i < object_count; i++)
    if (objects[i].kind == kind)
      sprintf(list + strlen(list), "%s\"%s\"", strlen(list) > 1 ? "," : "", objects[i].id);
  unlock(&service);
  *answer = widen(strcat(list, "]"));
  return 0;
}

static object_t *find(const char *id) {
  for (int i = 0; i < object_count; i++)
    if (objects[i].kind != DELETED && !strcmp(objects[i].id, id))
      return &objects[i];
  return 0;
}

static struct { char request[20]; unsigned code; int count; } arranged_answer;

static HRESULT arranged_for(const char *request) {
  return arranged_answer.count > 0 && !strcmp(arranged_answer.request, request) ? (arranged_answer.count--, (HRESULT)arranged_answer.code) : 0;
}

static HRESULT open_object(REFGUID guid, void **handle, PWSTR *error) {
  char id[40];
  show_id(guid, id);
  lock(&service);
  HRESULT code = arranged_for("open");
  *handle = code ? 0 : find(id);
  unlock(&service);
  if (code) {
    *error = 0;
    return code;
  }
  *error = *handle ? 0 : widen("{\"Error\":\"The object was not found.\"}");
  return *handle ? 0 : HCN_E_NOT_FOUND;
}

static HRESULT create(int kind, object_t *parent, const char *id, const char *settings, void **handle, PWSTR *error) {
  object_t *made = &objects[object_count];
  char type[40];
  *error = 0;
  memset(made, 0, sizeof *made);
  made->kind = kind;
  strcpy(made->id, id);
  strcpy(made->parent, parent ? parent->id : "");
  strcpy(made->json, settings);
  if (kind == ENDPOINT)
    list_policies(settings, made->policies);
  char *own = strstr(made->json, "\"Policies\":[");
  if (kind == ENDPOINT && own)
    own[1] = 'p';
  member(made->json, "Type", type, sizeof type);
  if (object_count == MAX_OBJECTS || made->json[0] != '{' || (kind == NETWORK && strcmp(type, "L2Bridge") && strcmp(type, "Private")) || (kind == ENDPOINT && !strstr(made->json, made->parent))) {
    *error = widen("{\"Error\":\"The document is not valid.\"}");
    return HCN_E_REFUSED;
  }
  object_count++;
  *handle = made;
  return 0;
}

static HRESULT create_as_asked(int kind, object_t *parent, REFGUID guid, PCWSTR settings, void **handle, PWSTR *error) {
  char id[40], json[MAX_JSON];
  show_id(guid, id);
  narrow(settings, json, sizeof json);
  lock(&service);
  HRESULT result = create(kind, parent, id, json, handle, error);
  unlock(&service);
  return result;
}

static HRESULT query(object_t *object, PWSTR *answer, PWSTR *error) {
  char json[MAX_JSON * 2 + 200], policies[MAX_JSON + 20] = "";
  *error = 0;
  lock(&service);
  if (object->kind == ENDPOINT)
    sprintf(policies, "\"Policies\":[%s],", object->policies);
  snprintf(json, sizeof json, "{\"ID\":\"%s\",%s%s%s", object->id, object->attached ? "\"HostComputeNamespace\":\"" HOST_NAMESPACE "\"," : "", policies, object->json + 1);
  unlock(&service);
  *answer = widen(json);
  return 0;
}

EXPORT HRESULT WINAPI HcnEnumerateNetworks(PCWSTR q, PWSTR *a, PWSTR *e) { return (void)q, enumerate(NETWORK, a, e); }
EXPORT HRESULT WINAPI HcnEnumerateEndpoints(PCWSTR q, PWSTR *a, PWSTR *e) { return (void)q, enumerate(ENDPOINT, a, e); }
EXPORT HRESULT WINAPI HcnOpenNetwork(REFGUID id, void **h, PWSTR *e) { return open_object(id, h, e); }
EXPORT HRESULT WINAPI HcnOpenEndpoint(REFGUID id, void **h, PWSTR *e) { return open_object(id, h, e); }
EXPORT HRESULT WINAPI HcnCreateNetwork(REFGUID id, PCWSTR s, void **h, PWSTR *e) { return create_as_asked(NETWORK, 0, id, s, h, e); }
EXPORT HRESULT WINAPI HcnCreateEndpoint(void *n, REFGUID id, PCWSTR s, void **h, PWSTR *e) { return create_as_asked(ENDPOINT, n, id, s, h, e); }
EXPORT HRESULT WINAPI HcnQueryNetworkProperties(void *h, PCWSTR q, PWSTR *a, PWSTR *e) { return (void)q, query(h, a, e); }
EXPORT HRESULT WINAPI HcnQueryEndpointProperties(void *h, PCWSTR q, PWSTR *a, PWSTR *e) { return (void)q, query(h, a, e); }
EXPORT HRESULT WINAPI HcnCloseNetwork(void *h) { return (void)h, 0; }
EXPORT HRESULT WINAPI HcnCloseEndpoint(void *h) { return (void)h, 0; }
EXPORT HRESULT WINAPI HcnCloseNamespace(void *h) { return (void)h, 0; }

EXPORT HRESULT WINAPI HcnModifyEndpoint(void *h, PCWSTR settings, PWSTR *error) {
  char json[MAX_JSON], kind[20], request[20];
  narrow(settings, json, sizeof json);
  member(json, "ResourceType", kind, sizeof kind);
  member(json, "RequestType", request, sizeof request);
  *error = 0;
  if (strcmp(kind, "Policy") || strcmp(request, "Update"))
    return HCN_E_REFUSED;
  lock(&service);
  HRESULT code = arranged_for("modify");
  if (!code)
    update_policies(h, json);
  unlock(&service);
  return code;
}

/* An endpoint's interface goes with it. */
static HRESULT delete(REFGUID guid, PWSTR *error) {
  char id[40], reply[200];
  show_id(guid, id);
  *error = 0;
  lock(&service);
  object_t *object = find(id);
  int was_interface = object && object->attached;
  if (object)
    object->kind = DELETED;
  unlock(&service);
  if (was_interface)
    StandInCommand("remove-interface 0006008002000000", reply, sizeof reply);
  return object ? 0 : HCN_E_NOT_FOUND;
}

EXPORT HRESULT WINAPI HcnDeleteNetwork(REFGUID id, PWSTR *e) { return delete(id, e); }
EXPORT HRESULT WINAPI HcnDeleteEndpoint(REFGUID id, PWSTR *e) { return delete(id, e); }

EXPORT HRESULT WINAPI HcnEnumerateNamespaces(PCWSTR q, PWSTR *a, PWSTR *e) {
  (void)q;
  *e = 0;
  *a = widen("[\"" HOST_NAMESPACE "\"]");
  return 0;
}

EXPORT HRESULT WINAPI HcnOpenNamespace(REFGUID guid, void **h, PWSTR *e) {
  char id[40];
  show_id(guid, id);
  *e = 0;
  *h = (void *)HOST_NAMESPACE;
  return strcmp(id, HOST_NAMESPACE) ? HCN_E_NOT_FOUND : 0;
}

EXPORT HRESULT WINAPI HcnQueryNamespaceProperties(void *h, PCWSTR q, PWSTR *a, PWSTR *e) {
  (void)h, (void)q;
  *e = 0;
  *a = widen("{\"ID\":\"" HOST_NAMESPACE "\",\"NamespaceId\":1,\"Type\":\"HostDefault\"}");
  return 0;
}

/* The endpoint becomes an interface of the host. */
EXPORT HRESULT WINAPI HcnModifyNamespace(void *h, PCWSTR settings, PWSTR *error) {
  char json[MAX_JSON], id[40], kind[20], request[20], name[40], address[40], line[200], reply[200];
  (void)h;
  narrow(settings, json, sizeof json);
  member(json, "ResourceType", kind, sizeof kind);
  member(json, "RequestType", request, sizeof request);
  member(json, "EndpointId", id, sizeof id);
  object_t *endpoint = find(id);
  *error = 0;
  if (!endpoint || strcmp(kind, "Endpoint") || strcmp(request, "Add"))
    return HCN_E_REFUSED;
  HRESULT code = arranged_for("attach");
  if (code)
    return code;
  endpoint->attached = 1;
  if (turned("hns-attach"))
    return 0;
  member(endpoint->json, "Name", name, sizeof name);
  member(endpoint->json, "IpAddress", address, sizeof address);
  snprintf(line, sizeof line, "interface 0006008002000000 12 up 15 - vEthernet (%s)", name);
  StandInCommand(line, reply, sizeof reply);
  snprintf(line, sizeof line, "address 0006008002000000 %s/24", address);
  StandInCommand(line, reply, sizeof reply);
  return 0;
}

static object_t *first_network(void) {
  for (int i = 0; i < object_count; i++)
    if (objects[i].kind == NETWORK)
      return &objects[i];
  return 0;
}

/* The document names no network: it gets the first one's. */
static int put_endpoint(const char *document) {
  char id[40], json[MAX_JSON];
  void *made;
  PWSTR error;
  object_t *network = first_network();
  if (!network || document[0] != '{')
    return 0;
  sprintf(id, "22222222-0000-0000-0000-%012d", object_count);
  snprintf(json, sizeof json, "{\"HostComputeNetwork\":\"%s\",%s", network->id, document + 1);
  return create(ENDPOINT, network, id, json, &made, &error) == 0;
}

static int run(const char *line, char *reply, int size) {
  int count, done = 1;
  if (strncmp(line, "hcn-", 4))
    return 0;
  if (!strcmp(line, "hcn-forget"))
    StandInCommand("remove-interface 0006008002000000", reply, size);
  reply[0] = 0;
  lock(&service);
  if (!strcmp(line, "hcn-forget"))
    object_count = refusals = arranged_answer.count = 0;
  else if (sscanf(line, "hcn-answer %19s %x %d", arranged_answer.request, &arranged_answer.code, &arranged_answer.count) == 3)
    done = 1;
  else if (!strncmp(line, "hcn-endpoint {", 14))
    done = put_endpoint(line + 13);
  else if (sscanf(line, "hcn-refuse %d", &count) == 1)
    refusals = count;
  else if (!strcmp(line, "hcn-endpoints"))
    for (int i = 0; i < object_count; i++) {
      if (objects[i].kind == ENDPOINT)
        snprintf(reply + strlen(reply), size - strlen(reply), "[%s]\n", objects[i].policies);
    }
  else
    done = 0;
  unlock(&service);
  if (!done)
    snprintf(reply, size, "not understood, or not possible\n");
  return 1;
}

__attribute__((constructor)) static void listen_to_lines(void) { StandInMoreCommands(run); }
