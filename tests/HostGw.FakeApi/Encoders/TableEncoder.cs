using System.Buffers;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Encoders;

/// <summary>application/json;as=Table: what kubectl get prints. A watch sends one-row tables, the columns only in the first.</summary>
internal sealed class TableEncoder(ResourceKind kind, string includeObject) : JsonEncoder(kind)
{
    private bool _columnsSent;
    private bool _rowsBegun;

    public override void Object(IBufferWriter<byte> output, StoredObject item) => output.Write(Table(item).Json.Span);

    public override void ListStart(IBufferWriter<byte> output, Page page)
    {
        JsonObject table = Empty(Metadata(page));
        table.Remove("rows");
        output.Write(ObjectJson.Serialize(table).AsSpan()[..^1]);
        output.Write(",\"rows\":["u8);
    }

    public override void ListItem(IBufferWriter<byte> output, StoredObject item)
    {
        if (_rowsBegun)
            output.Write(","u8);
        _rowsBegun = true;
        output.Write(ObjectJson.Serialize(Row(item)));
    }

    public override void WatchEvent(IBufferWriter<byte> output, string type, StoredObject item) => base.WatchEvent(output, type, Table(item));

    private StoredObject Table(StoredObject item)
    {
        JsonObject table = Empty(new JsonObject { ["resourceVersion"] = JsonFields.Number(item.Revision) });
        table["rows"] = new JsonArray(Row(item));
        return StoredObject.Raw(item.Key, item.Revision, ObjectJson.Serialize(table));
    }

    private JsonObject Empty(JsonObject metadata)
    {
        IEnumerable<TableColumn> columns = _columnsSent ? [] : TableColumns.Of(Kind);
        _columnsSent = true;
        return new JsonObject
        {
            ["kind"] = "Table",
            ["apiVersion"] = "meta.k8s.io/v1",
            ["metadata"] = metadata,
            ["columnDefinitions"] = new JsonArray([.. columns.Select(c => c.ToDefinition())]),
            ["rows"] = new JsonArray(),
        };
    }

    private JsonObject Row(StoredObject item)
    {
        JsonObject content = item.ParseOrEmpty();
        var row = new JsonObject
        {
            ["cells"] = new JsonArray([.. TableColumns.Of(Kind).Select(c => (JsonNode)c.Cell(content))]),
        };
        if (includeObject == "Object")
            row["object"] = content;
        else if (includeObject != "None")
            row["object"] = MetadataOf(content);
        return row;
    }

    private static JsonObject MetadataOf(JsonObject content) => new()
    {
        ["kind"] = "PartialObjectMetadata",
        ["apiVersion"] = "meta.k8s.io/v1",
        ["metadata"] = content["metadata"]?.DeepClone() ?? new JsonObject(),
    };
}
