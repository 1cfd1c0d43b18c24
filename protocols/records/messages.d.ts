// Made from messages.proto by `npm run generate`; change that file, not this one.
import type { Codec, DecodeOptions } from 'protons-runtime';
import type { Uint8ArrayList } from 'uint8arraylist';
export interface GetRecordsRequest {
    ids: Uint8Array[];
}
export declare namespace GetRecordsRequest {
    const codec: () => Codec<GetRecordsRequest>;
    interface GetRecordsRequestIdsFieldEvent {
        field: '$.ids[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<GetRecordsRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GetRecordsRequest>): GetRecordsRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GetRecordsRequest>): Generator<GetRecordsRequestIdsFieldEvent>;
}
export interface GetRecordsResponse {
    records: Uint8Array[];
    resumeAt: number;
    statements: Uint8Array[];
}
export declare namespace GetRecordsResponse {
    const codec: () => Codec<GetRecordsResponse>;
    interface GetRecordsResponseRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    interface GetRecordsResponseResumeAtFieldEvent {
        field: '$.resumeAt';
        value: number;
    }
    interface GetRecordsResponseStatementsFieldEvent {
        field: '$.statements[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<GetRecordsResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GetRecordsResponse>): GetRecordsResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<GetRecordsResponse>): Generator<GetRecordsResponseRecordsFieldEvent | GetRecordsResponseResumeAtFieldEvent | GetRecordsResponseStatementsFieldEvent>;
}
export interface ListReleasesRequest {
    name: string;
    after: Uint8Array;
    limit: number;
    version: string;
    owner: Uint8Array;
    range: string;
}
export declare namespace ListReleasesRequest {
    const codec: () => Codec<ListReleasesRequest>;
    interface ListReleasesRequestNameFieldEvent {
        field: '$.name';
        value: string;
    }
    interface ListReleasesRequestAfterFieldEvent {
        field: '$.after';
        value: Uint8Array;
    }
    interface ListReleasesRequestLimitFieldEvent {
        field: '$.limit';
        value: number;
    }
    interface ListReleasesRequestVersionFieldEvent {
        field: '$.version';
        value: string;
    }
    interface ListReleasesRequestOwnerFieldEvent {
        field: '$.owner';
        value: Uint8Array;
    }
    interface ListReleasesRequestRangeFieldEvent {
        field: '$.range';
        value: string;
    }
    function encode(obj: Partial<ListReleasesRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ListReleasesRequest>): ListReleasesRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ListReleasesRequest>): Generator<ListReleasesRequestNameFieldEvent | ListReleasesRequestAfterFieldEvent | ListReleasesRequestLimitFieldEvent | ListReleasesRequestVersionFieldEvent | ListReleasesRequestOwnerFieldEvent | ListReleasesRequestRangeFieldEvent>;
}
export interface ListReleasesResponse {
    records: Uint8Array[];
    next: Uint8Array;
    statements: Uint8Array[];
}
export declare namespace ListReleasesResponse {
    const codec: () => Codec<ListReleasesResponse>;
    interface ListReleasesResponseRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    interface ListReleasesResponseNextFieldEvent {
        field: '$.next';
        value: Uint8Array;
    }
    interface ListReleasesResponseStatementsFieldEvent {
        field: '$.statements[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<ListReleasesResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ListReleasesResponse>): ListReleasesResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<ListReleasesResponse>): Generator<ListReleasesResponseRecordsFieldEvent | ListReleasesResponseNextFieldEvent | ListReleasesResponseStatementsFieldEvent>;
}
