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
export interface TellDemandRequest {
    summary: Uint8Array;
}
export declare namespace TellDemandRequest {
    const codec: () => Codec<TellDemandRequest>;
    interface TellDemandRequestSummaryFieldEvent {
        field: '$.summary';
        value: Uint8Array;
    }
    function encode(obj: Partial<TellDemandRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellDemandRequest>): TellDemandRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellDemandRequest>): Generator<TellDemandRequestSummaryFieldEvent>;
}
export interface TellDemandResponse {
}
export declare namespace TellDemandResponse {
    const codec: () => Codec<TellDemandResponse>;
    function encode(obj: Partial<TellDemandResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellDemandResponse>): TellDemandResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<TellDemandResponse>): Generator<{}>;
}
export interface WantedReleasesRequest {
    contents: Uint8Array[];
}
export declare namespace WantedReleasesRequest {
    const codec: () => Codec<WantedReleasesRequest>;
    interface WantedReleasesRequestContentsFieldEvent {
        field: '$.contents[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<WantedReleasesRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantedReleasesRequest>): WantedReleasesRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantedReleasesRequest>): Generator<WantedReleasesRequestContentsFieldEvent>;
}
export interface WantedReleasesResponse {
    records: Uint8Array[];
}
export declare namespace WantedReleasesResponse {
    const codec: () => Codec<WantedReleasesResponse>;
    interface WantedReleasesResponseRecordsFieldEvent {
        field: '$.records[]';
        index: number;
        value: Uint8Array;
    }
    function encode(obj: Partial<WantedReleasesResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantedReleasesResponse>): WantedReleasesResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<WantedReleasesResponse>): Generator<WantedReleasesResponseRecordsFieldEvent>;
}
export interface OfferReleaseRequest {
    record: Uint8Array;
}
export declare namespace OfferReleaseRequest {
    const codec: () => Codec<OfferReleaseRequest>;
    interface OfferReleaseRequestRecordFieldEvent {
        field: '$.record';
        value: Uint8Array;
    }
    function encode(obj: Partial<OfferReleaseRequest>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OfferReleaseRequest>): OfferReleaseRequest;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OfferReleaseRequest>): Generator<OfferReleaseRequestRecordFieldEvent>;
}
export interface OfferReleaseResponse {
    refusal: number;
}
export declare namespace OfferReleaseResponse {
    const codec: () => Codec<OfferReleaseResponse>;
    interface OfferReleaseResponseRefusalFieldEvent {
        field: '$.refusal';
        value: number;
    }
    function encode(obj: Partial<OfferReleaseResponse>): Uint8Array;
    function decode(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OfferReleaseResponse>): OfferReleaseResponse;
    function stream(buf: Uint8Array | Uint8ArrayList, opts?: DecodeOptions<OfferReleaseResponse>): Generator<OfferReleaseResponseRefusalFieldEvent>;
}
