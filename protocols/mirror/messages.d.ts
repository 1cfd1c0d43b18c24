// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface SketchMembersRequest {
    cells: number;
}
export declare namespace SketchMembersRequest {
    const codec: () => Codec<SketchMembersRequest>;
    interface SketchMembersRequestCellsFieldEvent {
        field: '$.cells';
        value: number;
    }
    function encode(obj: Partial<SketchMembersRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SketchMembersRequest>): SketchMembersRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SketchMembersRequest>): Generator<SketchMembersRequestCellsFieldEvent>;
}
export interface SketchMembersResponse {
    records: number;
    cells: Uint8Array;
    counts: Uint8Array;
}
export declare namespace SketchMembersResponse {
    const codec: () => Codec<SketchMembersResponse>;
    interface SketchMembersResponseRecordsFieldEvent {
        field: '$.records';
        value: number;
    }
    interface SketchMembersResponseCellsFieldEvent {
        field: '$.cells';
        value: Uint8Array;
    }
    interface SketchMembersResponseCountsFieldEvent {
        field: '$.counts';
        value: Uint8Array;
    }
    function encode(obj: Partial<SketchMembersResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SketchMembersResponse>): SketchMembersResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<SketchMembersResponse>): Generator<SketchMembersResponseRecordsFieldEvent | SketchMembersResponseCellsFieldEvent | SketchMembersResponseCountsFieldEvent>;
}
export interface ExchangeMembersRequest {
    wanted: Uint8Array;
    records: Uint8Array[];
}
export declare namespace ExchangeMembersRequest {
    const codec: () => Codec<ExchangeMembersRequest>;
    interface ExchangeMembersRequestWantedFieldEvent {
        field: '$.wanted';
        value: Uint8Array;
    }
    interface ExchangeMembersRequestRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<ExchangeMembersRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ExchangeMembersRequest>): ExchangeMembersRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ExchangeMembersRequest>): Generator<ExchangeMembersRequestWantedFieldEvent | ExchangeMembersRequestRecordsFieldEvent>;
}
export interface ExchangeMembersResponse {
    records: Uint8Array[];
}
export declare namespace ExchangeMembersResponse {
    const codec: () => Codec<ExchangeMembersResponse>;
    interface ExchangeMembersResponseRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<ExchangeMembersResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ExchangeMembersResponse>): ExchangeMembersResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ExchangeMembersResponse>): Generator<ExchangeMembersResponseRecordsFieldEvent>;
}
